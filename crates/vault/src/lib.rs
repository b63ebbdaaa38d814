//! Seals, opens and stores secrets. The only crate that does.
