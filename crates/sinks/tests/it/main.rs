//! Archives on disks, in memory and in a real S3-protocol server.

mod bench;
mod commit;
mod contract;
mod disk;
mod files;
mod nas;
mod s3;
mod trial;
mod writers;
