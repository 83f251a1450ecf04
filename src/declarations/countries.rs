//! Countries, for the nationality.

/// The 249 officially assigned alpha-2 codes of ISO 3166-1 (as of 2025), in order.
const ALPHA_2: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN \
    BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ \
    DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL \
    GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM \
    JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME \
    MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP \
    NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD \
    SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO \
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW \
";

/// All assigned alpha-2 codes, in order.
pub fn countries() -> impl Iterator<Item = &'static str> {
    ALPHA_2.split_whitespace()
}

/// Whether `code` is an assigned alpha-2 code in capitals.
pub(super) fn is_country(code: &str) -> bool {
    code.len() == 2 && ALPHA_2.split(' ').any(|known| known == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_every_country_once_and_nothing_else() {
        let mut codes: Vec<_> = ALPHA_2.split_whitespace().collect();
        assert_eq!(codes.len(), 249);
        assert!(codes.is_sorted());
        codes.dedup();
        assert_eq!(codes.len(), 249);
        assert!(["VN", "LA", "AD", "ZW"].into_iter().all(is_country));
        assert!(
            !["", " ", "vn", "XX", "VNM", "D "]
                .into_iter()
                .any(is_country)
        );
    }
}
