//! Province and ward in a form: a list of provinces, and a ward that is typed.
//!
//! A page with 3,321 wards would weigh more than everything else on it. So the ward is typed, with
//! or without accents, and found here; a script on the page only saves typing by showing the
//! province's wards. When the text fits several, the form comes back with those to choose from.

use super::page::{Choice, Form, Page};
use crate::{
    base::text::{accent_key, fold},
    regions::{Catalogue, Regions, Ward},
};

/// Wards offered when a text fits several.
const CHOICES_MAX: usize = 12;

/// Today's provinces, for a list.
#[must_use]
pub fn provinces(regions: &Regions) -> Vec<Choice> {
    let mut choices: Vec<_> = regions.provinces(Catalogue::default()).iter().collect();
    choices.sort_by_cached_key(|province| crate::base::text::collation_key(province.short_name()));
    choices
        .into_iter()
        .map(|province| Choice::new(province.code, province.name))
        .collect()
}

/// The ward that a form names by `province`, `ward` and `ward_code`, and the wards to choose from
/// when the text fits several. A mistake is noted in the form.
pub fn ward(regions: &Regions, page: &Page, form: &mut Form) -> (Option<String>, Vec<Choice>) {
    let today = Catalogue::default();
    let province = form.v("province").to_owned();
    if province.is_empty() {
        form.fail(page, "province", "required");
    } else if regions.province(today, &province).is_none() {
        form.fail(page, "province", "unknown");
    }
    if let Some(ward) = regions.ward_in(today, &province, form.v("ward_code")) {
        let code = ward.code.to_owned();
        form.set("ward", ward.name);
        return (Some(code), Vec::new());
    }
    let typed = form.v("ward").to_owned();
    if typed.is_empty() {
        form.fail(page, "ward", "required");
        return (None, Vec::new());
    }
    if form.e("province").is_some() {
        return (None, Vec::new());
    }
    let found = matching(regions, &province, &typed);
    match found.as_slice() {
        [only] => {
            form.set("ward", only.name);
            (Some(only.code.to_owned()), Vec::new())
        }
        [] => {
            form.fail(page, "ward", "unknown");
            (None, Vec::new())
        }
        several => {
            form.fail(page, "ward", "ambiguous");
            let choices = several.iter().map(|ward| Choice::new(ward.code, ward.name));
            (None, choices.collect())
        }
    }
}

/// The wards that fit a text: one that it names in full comes alone.
fn matching<'a>(regions: &'a Regions, province: &str, typed: &str) -> Vec<&'a Ward> {
    let found = regions.search(Catalogue::default(), Some(province), typed, CHOICES_MAX);
    let named = |key: fn(&str) -> String| -> Vec<&'a Ward> {
        let typed = key(typed);
        let names = |ward: &&&Ward| key(ward.name) == typed || key(ward.short_name()) == typed;
        found.iter().filter(names).copied().collect()
    };
    // Accents that were typed decide between Văn Lăng and Văn Lang; without any, both stay.
    let has_accents = accent_key(typed) != fold(typed);
    if has_accents {
        let exact = named(accent_key);
        if !exact.is_empty() {
            return exact;
        }
    }
    let folded = named(fold);
    if folded.is_empty() { found } else { folded }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::texts::Lang;

    fn find(province: &str, typed: &str, code: &str) -> (Option<String>, usize, Form) {
        let regions = Regions::load().unwrap();
        let page = Page::new(Lang::Vi);
        let mut form = Form::of(vec![
            ("province".into(), province.into()),
            ("ward".into(), typed.into()),
            ("ward_code".into(), code.into()),
        ]);
        let (ward, choices) = ward(&regions, &page, &mut form);
        (ward, choices.len(), form)
    }

    #[test]
    fn a_ward_is_found_however_it_is_typed() {
        let regions = Regions::load().unwrap();
        let tan_ninh = regions
            .wards(Catalogue::default(), "80")
            .into_iter()
            .find(|ward| ward.short_name() == "Tân Ninh")
            .unwrap();
        for typed in ["Phường Tân Ninh", "phuong tan ninh", " tân  ninh ", "TAN NINH"] {
            let (ward, _, form) = find("80", typed, "");
            assert_eq!(ward.as_deref(), Some(tan_ninh.code), "{typed}");
            assert_eq!(form.v("ward"), tan_ninh.name);
            assert!(form.errors.is_empty());
        }
        let (ward, _, _) = find("80", "", tan_ninh.code);
        assert_eq!(ward.as_deref(), Some(tan_ninh.code));
    }

    #[test]
    fn several_are_offered_and_none_is_said() {
        let (ward, choices, form) = find("80", "tân", "");
        assert!(ward.is_none() && choices > 1, "{choices}");
        assert!(form.e("ward").is_some());
        let (ward, choices, form) = find("80", "không có đâu", "");
        assert!(ward.is_none() && choices == 0);
        assert!(form.e("ward").is_some());
    }

    #[test]
    fn a_code_of_another_province_is_not_taken() {
        let regions = Regions::load().unwrap();
        let hanoi = regions.wards(Catalogue::default(), "01")[0].code;
        let (ward, _, form) = find("80", "", hanoi);
        assert!(ward.is_none());
        assert!(form.e("ward").is_some());
        let (ward, _, form) = find("99", "x", "");
        assert!(ward.is_none() && form.e("province").is_some() && form.e("ward").is_none());
    }

    #[test]
    fn provinces_stand_in_vietnamese_order() {
        let all = provinces(&Regions::load().unwrap());
        assert_eq!(all.len(), 34);
        assert_eq!(all[0].label, "Tỉnh An Giang");
    }
}
