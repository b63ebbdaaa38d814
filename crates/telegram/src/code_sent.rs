//! Where Telegram sent a login code, and what comes next if it does not arrive.

use grammers_tl_types::{self as tl, enums::auth::CodeType, enums::auth::SentCodeType};

/// One code on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeSent {
    /// Which code an answer is for; opaque.
    pub phone_code_hash: String,
    /// Where to look for it.
    pub delivery: Delivery,
    /// How many digits (or letters) it has, where Telegram says so.
    pub length: Option<u32>,
    /// Seconds until another way may be asked for.
    pub resend_after_s: Option<u32>,
    /// That other way; `None` if there is none.
    pub next: Option<NextDelivery>,
}

/// How a code travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// A message of Telegram's own, in the apps the account is logged in with.
    App,
    /// A text message.
    Sms,
    /// A call that speaks the code.
    Call,
    /// A call to be missed: the caller's number, which fits `pattern`, is the code.
    FlashCall {
        /// With `*` for any digits.
        pattern: String,
    },
    /// A call to be missed: the last digits of the caller's number are the code.
    MissedCall {
        /// How the caller's number begins.
        prefix: String,
    },
    /// An e-mail.
    Email {
        /// The address, mostly stars: `a***@example.org`.
        pattern: String,
    },
    /// For anonymous numbers: <https://fragment.com>.
    Fragment {
        /// Where to read it.
        url: String,
    },
    /// A text message with one word, which begins like this.
    SmsWord {
        /// Empty if Telegram does not say.
        beginning: String,
    },
    /// A text message with several words, which begin like this.
    SmsPhrase {
        /// Empty if Telegram does not say.
        beginning: String,
    },
}

/// What the next code would travel by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextDelivery {
    /// A text message.
    Sms,
    /// A call that speaks the code.
    Call,
    /// A call to be missed.
    FlashCall,
    /// A call to be missed.
    MissedCall,
    /// <https://fragment.com>.
    Fragment,
}

impl CodeSent {
    /// `None` for a way that needs an official app.
    pub(crate) fn of(sent: tl::types::auth::SentCode) -> Option<Self> {
        let (delivery, length) = match sent.r#type {
            SentCodeType::App(sent) => (Delivery::App, Some(sent.length)),
            SentCodeType::Sms(sent) => (Delivery::Sms, Some(sent.length)),
            SentCodeType::Call(sent) => (Delivery::Call, Some(sent.length)),
            SentCodeType::FlashCall(sent) => (
                Delivery::FlashCall {
                    pattern: sent.pattern,
                },
                None,
            ),
            SentCodeType::MissedCall(sent) => {
                (Delivery::MissedCall { prefix: sent.prefix }, Some(sent.length))
            }
            SentCodeType::EmailCode(sent) => {
                let pattern = sent.email_pattern;
                (Delivery::Email { pattern }, Some(sent.length))
            }
            SentCodeType::FragmentSms(sent) => (Delivery::Fragment { url: sent.url }, Some(sent.length)),
            SentCodeType::SmsWord(sent) => {
                let beginning = sent.beginning.unwrap_or_default();
                (Delivery::SmsWord { beginning }, None)
            }
            SentCodeType::SmsPhrase(sent) => {
                let beginning = sent.beginning.unwrap_or_default();
                (Delivery::SmsPhrase { beginning }, None)
            }
            SentCodeType::FirebaseSms(_) | SentCodeType::SetUpEmailRequired(_) => return None,
        };
        let positive = |number: i32| u32::try_from(number).ok().filter(|number| *number > 0);
        Some(Self {
            phone_code_hash: sent.phone_code_hash,
            delivery,
            length: length.and_then(positive),
            resend_after_s: sent.timeout.and_then(positive),
            next: sent.next_type.map(|next| match next {
                CodeType::Sms => NextDelivery::Sms,
                CodeType::Call => NextDelivery::Call,
                CodeType::FlashCall => NextDelivery::FlashCall,
                CodeType::MissedCall => NextDelivery::MissedCall,
                CodeType::FragmentSms => NextDelivery::Fragment,
            }),
        })
    }
}
