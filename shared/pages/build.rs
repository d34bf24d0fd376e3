//! Embeds the files: as they are, and compressed, since API Gateway compresses nothing.
#![allow(clippy::expect_used, reason = "a build that cannot go on says why by failing")]

use std::{env, fmt::Write as _, fs, io::Write as _, path::Path};

use flate2::{Compression, Crc, write::GzEncoder};

fn main() {
    let from = env::var("CARGO_MANIFEST_DIR").expect("cargo says where"); // now: a build script may be older than its folder
    let from = Path::new(&from).join("files");
    let out = env::var("OUT_DIR").expect("cargo says where");
    println!("cargo::rerun-if-changed=files");
    let mut files: Vec<_> = fs::read_dir(&from)
        .expect("the files are there")
        .map(|entry| entry.expect("a folder can be read").file_name().into_string().expect("names are plain"))
        .collect();
    files.sort(); // the same build wherever it is made

    let (mut all, mut version) = (String::new(), Crc::new());
    for name in &files {
        let plain = fs::read(from.join(name)).expect("a file can be read");
        version.update(name.as_bytes());
        version.update(&plain);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&plain).expect("memory takes all");
        let gzip = gzip.finish().expect("memory takes all");
        fs::write(Path::new(&out).join(format!("{name}.gz")), gzip).expect("the build has a folder");
        writeln!(
            all,
            "File {{
                name: {name:?},
                plain: include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/files/{name}\")),
                gzip: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}.gz\")),
            }},"
        )
        .expect("memory takes all");
    }
    let code = format!("const FILES: &[File] = &[{all}];\nconst VERSION: &str = \"{:08x}\";", version.sum());
    fs::write(Path::new(&out).join("files.rs"), code).expect("the build has a folder");
}
