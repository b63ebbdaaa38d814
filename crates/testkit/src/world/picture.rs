//! Little seascapes as real JPEG files, so that windows have something to show.
//!
//! Every 8×8 block is one flat colour: such a file needs no transform and four short tables, so this
//! is a writer of a page, not an encoder.

use super::draw::Draw;

const BLOCK: u32 = 8;

/// A baseline JPEG of this size: sky over sea, drawn.
pub(crate) fn seascape(width: u32, height: u32, draw: &mut Draw) -> Vec<u8> {
    let scene = Scene::draw(width.div_ceil(BLOCK), height.div_ceil(BLOCK), draw);
    let mut file = head(width as u16, height as u16);
    let mut bits = Bits::default();
    let mut before = [0_i32; 3];
    for row in 0..scene.rows {
        for column in 0..scene.columns {
            let color = scene.color(column, row);
            for (channel, value) in color.into_iter().enumerate() {
                bits.dc(value - before[channel]);
                before[channel] = value;
            }
        }
    }
    file.extend(bits.finish());
    file.extend([0xff, 0xd9]);
    file
}

/// What is painted: colours are luma, blue and red, around zero.
struct Scene {
    columns: u32,
    rows: u32,
    horizon: u32,
    sun: (u32, u32, u32),
    sky: [i32; 2],
    sea: [i32; 2],
}

impl Scene {
    fn draw(columns: u32, rows: u32, draw: &mut Draw) -> Self {
        let horizon = rows * draw.between(50, 75) as u32 / 100;
        let near = |draw: &mut Draw, size: u32| draw.between(0, u64::from(size.max(1))) as u32;
        Self {
            columns,
            rows,
            horizon,
            sun: (
                near(draw, columns),
                near(draw, horizon),
                (columns.min(rows) / 8).max(1),
            ),
            sky: [draw.between(0, 60) as i32 - 20, draw.between(0, 60) as i32 - 40],
            sea: [draw.between(10, 40) as i32, -(draw.between(5, 30) as i32)],
        }
    }

    fn color(&self, column: u32, row: u32) -> [i32; 3] {
        let (x, y, radius) = self.sun;
        if row < self.horizon && column.abs_diff(x).pow(2) + row.abs_diff(y).pow(2) <= radius.pow(2) {
            return [110, -40, 20];
        }
        if row < self.horizon {
            let depth = (row * 100 / self.horizon.max(1)) as i32;
            return [80 - depth / 2, self.sky[0] + depth / 5, self.sky[1] + depth / 4];
        }
        let ripple = ((column * 7 + row * 13) % 11) as i32 * 2;
        let depth = ((row - self.horizon) * 60 / self.rows.max(1)) as i32;
        [ripple - 30 - depth, self.sea[0], self.sea[1]]
    }
}

/// Everything before the picture's bits.
fn head(width: u16, height: u16) -> Vec<u8> {
    let mut head = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00".to_vec();
    // One quantiser of eights: a block's mean is written as it is.
    head.extend([0xff, 0xdb, 0, 67, 0]);
    head.extend([8; 64]);
    head.extend([0xff, 0xc0, 0, 17, 8]);
    head.extend(height.to_be_bytes());
    head.extend(width.to_be_bytes());
    head.extend([3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
    // Means: the usual table. The rest of a block: one code, "nothing more".
    head.extend([0xff, 0xc4, 0, 31, 0x00]);
    head.extend([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
    head.extend(0..12);
    head.extend([
        0xff, 0xc4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
    head.extend([0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0]);
    head
}

/// Bits, most significant first; a byte of ones is followed by a zero byte.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    waiting: u32,
    count: u32,
}

impl Bits {
    /// The difference of two means, then "nothing more in this block".
    fn dc(&mut self, difference: i32) {
        const CODES: [(u32, u32); 9] = [
            (0b00, 2),
            (0b010, 3),
            (0b011, 3),
            (0b100, 3),
            (0b101, 3),
            (0b110, 3),
            (0b1110, 4),
            (0b1_1110, 5),
            (0b11_1110, 6),
        ];
        let size = 32 - difference.unsigned_abs().leading_zeros();
        let (code, length) = CODES[size as usize];
        self.push(code, length);
        let low = if difference < 0 {
            difference + (1 << size) - 1
        } else {
            difference
        };
        self.push(low as u32, size);
        self.push(0, 1);
    }

    fn push(&mut self, bits: u32, length: u32) {
        self.waiting = (self.waiting << length) | bits;
        self.count += length;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.waiting >> self.count) as u8;
            self.bytes.push(byte);
            if byte == 0xff {
                self.bytes.push(0);
            }
        }
        self.waiting &= (1 << self.count) - 1;
    }

    fn finish(mut self) -> Vec<u8> {
        let missing = (8 - self.count) % 8;
        self.push((1 << missing) - 1, missing);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_framed_as_a_jpeg_and_says_its_size() {
        let file = seascape(450, 600, &mut Draw::of(&[1]));
        assert!(file.starts_with(b"\xff\xd8\xff\xe0") && file.ends_with(&[0xff, 0xd9]));
        let frame = file.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
        assert_eq!(
            file[frame + 5..frame + 9],
            [600_u16.to_be_bytes(), 450_u16.to_be_bytes()].concat()
        );
    }

    #[test]
    fn inside_the_picture_every_ff_is_stuffed() {
        let file = seascape(800, 600, &mut Draw::of(&[2]));
        let start = file.windows(2).position(|two| two == [0xff, 0xda]).unwrap() + 14;
        let scan = &file[start..file.len() - 2];
        assert!(scan.windows(2).all(|two| two[0] != 0xff || two[1] == 0));
    }
}
