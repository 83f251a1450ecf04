use diem_kiem_dich::{base::codes::Code, posters::{self, Lang, Poster, Size}};
#[test]
fn look() {
    let dir = std::env::var("OUT").unwrap_or_else(|_| "/tmp/look".into());
    std::fs::create_dir_all(&dir).unwrap();
    for (n, venue, cp) in [("short","Chợ Bến Mẫu","Cổng chính"),("long","Trung tâm Hội nghị và Triển lãm Nguyễn Thị Minh Khai – Khu phức hợp Thương mại Dịch vụ Đồng bằng sông Cửu Long","Phòng họp lớn tầng 12, cửa phía đông cạnh thang máy số 4"),("wide",&"W".repeat(100)[..],"WWWWW WWWWW")] {
    for size in Size::ALL { for lang in [Lang::Vi, Lang::En, Lang::Both] {
        let p = Poster{url_base:"https://diemkiemdich.example.vn".into(), code:Code::from_bytes(*b"0123456789abcdef"), checkpoint:cp.into(), venue:venue.into(), kind:"Chợ".into(), place:vec!["12 Nguyễn Huệ".into(),"Phường Bến Mẫu".into(),"Tỉnh Mẫu".into()], issued_on: time::Date::from_calendar_date(2026,time::Month::November,21).unwrap(), version:3, retention_days:21, lang, size, hotline:"1022".into(), authority: Some("Sở Y tế tỉnh Mẫu".into())};
        let name = format!("{dir}/{n}-{size:?}-{lang:?}");
        let t=std::time::Instant::now();
        std::fs::write(format!("{name}.pdf"), posters::pdf(std::slice::from_ref(&p)).unwrap()).unwrap(); let a=t.elapsed();
        std::fs::write(format!("{name}.png"), posters::png(&p).unwrap()).unwrap(); let b=t.elapsed();
        std::fs::write(format!("{name}.svg"), posters::svg(&p).unwrap()).unwrap(); let c=t.elapsed();
        println!("{name} {a:?} {:?} {:?}", b-a, c-b);
    }}}
}
