//! The made-up province's people. Names are thrown together from common parts; the phone numbers are
//! of 099 2, the one block after 099 that no operator has been given.

use crate::{
    base::{Failure, Timestamp, failure::Result},
    cli::demo::{
        dice::Dice,
        places::{PROVINCE, wards},
    },
    declarations::{
        AddressDraft, AnswersDraft, CONSENT_VERSIONS, ConsentDraft, Declaration, Draft, Person,
        SymptomsDraft, TravelDraft,
    },
    identity::Pseudonymizer,
    regions::{Catalogue, Regions},
};

const SURNAMES: [&str; 16] = [
    "Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ",
    "Hồ", "Ngô", "Dương", "Lý",
];
const MIDDLE_MALE: [&str; 8] = ["Văn", "Hữu", "Đức", "Minh", "Quốc", "Thanh", "Công", "Gia"];
const MIDDLE_FEMALE: [&str; 8] = ["Thị", "Ngọc", "Thu", "Kim", "Mỹ", "Thanh", "Bích", "Hồng"];
const GIVEN_MALE: [&str; 20] = [
    "An", "Bình", "Cường", "Dũng", "Đạt", "Giang", "Hải", "Hùng", "Khoa", "Lâm", "Long", "Nam",
    "Phong", "Phúc", "Quân", "Sơn", "Tài", "Thắng", "Tuấn", "Việt",
];
const GIVEN_FEMALE: [&str; 20] = [
    "Anh",
    "Châu",
    "Dung",
    "Đào",
    "Hà",
    "Hạnh",
    "Hoa",
    "Hương",
    "Lan",
    "Linh",
    "Mai",
    "My",
    "Nga",
    "Oanh",
    "Phượng",
    "Quyên",
    "Thảo",
    "Trang",
    "Vân",
    "Yến",
];

/// A neighbouring province where some commuters live: Thành phố Hồ Chí Minh.
const NEIGHBOUR: &str = "79";

/// Where somebody spends the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Sells in the seafood hall.
    Seafood,
    /// Sells elsewhere in the market.
    Vendor,
    /// Sews at a line.
    Line(u8),
    /// Works in the hospital.
    Nurse,
    /// Teaches.
    Teacher,
    /// Learns.
    Pupil,
    /// Works in an office.
    Office(u8),
    /// Works in a shop; its number.
    Shop(u8),
    /// Works in a restaurant; its number.
    Cook(u8),
    /// Drives or sells tickets on a bus.
    Crew(u8),
    /// Is at home, and goes out now and then.
    Home,
    /// Is passing through.
    Guest,
}

/// How many of each; in this order they are numbered.
const CENSUS: &[(Job, u16)] = &[
    (Job::Seafood, 14),
    (Job::Vendor, 72),
    (Job::Line(0), 120),
    (Job::Line(1), 118),
    (Job::Line(2), 121),
    (Job::Nurse, 130),
    (Job::Teacher, 34),
    (Job::Pupil, 430),
    (Job::Office(0), 62),
    (Job::Office(1), 55),
    (Job::Office(2), 48),
    (Job::Office(3), 51),
    (Job::Office(4), 44),
    (Job::Shop(0), 12),
    (Job::Shop(1), 12),
    (Job::Shop(2), 5),
    (Job::Shop(3), 6),
    (Job::Shop(4), 4),
    (Job::Shop(5), 6),
    (Job::Shop(6), 7),
    (Job::Shop(7), 2),
    (Job::Cook(0), 9),
    (Job::Cook(1), 5),
    (Job::Cook(2), 12),
    (Job::Cook(3), 6),
    (Job::Cook(4), 6),
    (Job::Cook(5), 8),
    (Job::Cook(6), 7),
    (Job::Cook(7), 5),
    (Job::Crew(0), 4),
    (Job::Crew(1), 4),
    (Job::Crew(2), 4),
    (Job::Crew(3), 4),
    (Job::Guest, 12),
    (Job::Home, 2200),
];

/// Somebody with a part in the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first case: sells fish, and takes the bus home at eleven.
    FishSeller,
    /// The second: bought fish before the shift, sews at line 2.
    Sewer,
    /// The third: sat in the same bus, works in an office.
    Clerk,
    /// A case that has nothing to do with the others.
    Traveller,
    /// Not reported: sat in the same bus, and has begun to cough.
    Teacher,
}

impl Part {
    /// The job among whose people the first plays this part, the name, and the year of birth.
    const fn who(self) -> (Job, &'static str, bool, i64) {
        match self {
            Self::FishSeller => (Job::Seafood, "Nguyễn Thị Mẫu Đơn", true, 1978),
            Self::Sewer => (Job::Line(1), "Lê Văn Kim Chỉ", false, 1996),
            Self::Clerk => (Job::Office(0), "Phạm Thị Bàn Phím", true, 1989),
            Self::Traveller => (Job::Guest, "Liam O'Brien", false, 1984),
            Self::Teacher => (Job::Teacher, "Đỗ Thị Ổi", true, 1985),
        }
    }

    const ALL: [Self; 5] = [
        Self::FishSeller,
        Self::Sewer,
        Self::Clerk,
        Self::Traveller,
        Self::Teacher,
    ];
}

/// Somebody.
pub struct Somebody {
    /// Where they spend the day.
    pub job: Job,
    /// Which one of those who do, from 0.
    pub number: u16,
    /// The bus that they take, if they do.
    pub bus: Option<u8>,
    /// The part they play.
    pub part: Option<Part>,
    /// What they declare when nothing is the matter.
    pub declaration: Declaration,
    /// Their pseudonym.
    pub person: Person,
    draft: Draft,
}

impl Somebody {
    /// What they declare on a day with `symptoms`, or after a journey.
    pub fn declares(
        &self,
        regions: &Regions,
        now: Timestamp,
        symptoms: &[&str],
        travelled: bool,
    ) -> Result<Declaration> {
        let mut draft = self.draft.clone();
        draft.answers = Some(answers(symptoms, travelled));
        draft.parse(regions, now).map_err(Failure::invalid)
    }

    /// Their phone number, for a case's file.
    #[must_use]
    pub fn phone(&self) -> Option<String> {
        self.draft.phone.clone()
    }

    /// Their name, for a case's file.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        self.draft.full_name.clone()
    }

    /// Year of birth and address, for a case's file.
    #[must_use]
    pub fn details(&self) -> (Option<i64>, Option<AddressDraft>) {
        (self.draft.birth_year, self.draft.address.clone())
    }
}

/// Everybody, in the order of the census.
pub fn everybody(
    regions: &Regions,
    pseudonymizer: &Pseudonymizer,
    dice: &Dice,
    now: Timestamp,
) -> Result<Vec<Somebody>> {
    let homes = wards();
    let abroad: Vec<&str> = regions
        .wards(Catalogue::default(), NEIGHBOUR)
        .iter()
        .map(|ward| ward.code)
        .collect();
    let mut people = Vec::new();
    for (job, count) in CENSUS {
        for number in 0..*count {
            let part = Part::ALL
                .into_iter()
                .find(|part| number == 0 && part.who().0 == *job);
            let at = i64::try_from(people.len()).unwrap_or(0);
            let far = dice.chance(25) && part.is_none();
            let home = match dice.pick(if far { &abroad } else { &homes }) {
                Some(ward) if far => (NEIGHBOUR, *ward),
                Some(ward) => (PROVINCE, *ward),
                None => (PROVINCE, "25459"),
            };
            let draft = draft(dice, *job, part, at, home);
            let declaration = draft
                .clone()
                .parse(regions, now)
                .map_err(Failure::invalid)?;
            let person = declaration.contact.person(pseudonymizer);
            people.push(Somebody {
                job: *job,
                number,
                bus: bus(dice, *job, part),
                part,
                person: person.ok_or_else(|| Failure::internal("a person without a number"))?,
                declaration,
                draft,
            });
        }
    }
    Ok(people)
}

/// Every sixth who works far away takes a bus; the players all take the same one.
fn bus(dice: &Dice, job: Job, part: Option<Part>) -> Option<u8> {
    if part.is_some() {
        return None;
    }
    let rides = match job {
        Job::Line(_) => 200,
        Job::Office(_) | Job::Nurse | Job::Teacher => 150,
        Job::Vendor | Job::Seafood => 250,
        _ => 0,
    };
    let number = u8::try_from(dice.between(0, 3)).unwrap_or(0);
    dice.chance(rides).then_some(number)
}

fn draft(dice: &Dice, job: Job, part: Option<Part>, at: i64, home: (&str, &str)) -> Draft {
    let female = dice.chance(520);
    let name = name(dice, female);
    let born = match job {
        Job::Pupil => dice.between(2012, 2015),
        Job::Home => dice.between(1940, 2008),
        _ => dice.between(1964, 2004),
    };
    let (name, female, born) = part.map_or((name, female, born), |part| {
        let (_, name, female, born) = part.who();
        (name.to_owned(), female, born)
    });
    let foreign = part == Some(Part::Traveller);
    // 7919 has no divisor in common with 900,000, so no two people share a number. The foreign one
    // is of the block that the North American plan keeps for fiction.
    let phone = if foreign {
        "+12025550143".to_owned()
    } else {
        format!("0992{:06}", 100_000 + (at * 7919) % 900_000)
    };
    Draft {
        full_name: Some(name),
        birth_year: Some(born),
        sex: Some(if female { "female" } else { "male" }.to_owned()),
        nationality: Some(if foreign { "US" } else { "VN" }.to_owned()),
        id_number: None,
        phone: Some(phone),
        email: None,
        address: Some(AddressDraft {
            catalogue: None,
            province: Some(home.0.to_owned()),
            ward: Some(home.1.to_owned()),
            street: Some(format!("Tổ {}", dice.between(1, 40))),
        }),
        answers: Some(answers(&[], false)),
        consent: Some(ConsentDraft {
            version: CONSENT_VERSIONS.last().map(|version| (*version).to_owned()),
            given: Some(true),
        }),
    }
}

fn name(dice: &Dice, female: bool) -> String {
    let (middle, given) = if female {
        (&MIDDLE_FEMALE, &GIVEN_FEMALE)
    } else {
        (&MIDDLE_MALE, &GIVEN_MALE)
    };
    let parts = [dice.pick(&SURNAMES), dice.pick(middle), dice.pick(given)];
    let parts: Vec<&str> = parts.into_iter().flatten().copied().collect();
    parts.join(" ")
}

fn answers(symptoms: &[&str], travelled: bool) -> AnswersDraft {
    let which = symptoms.iter().map(|word| (*word).to_owned()).collect();
    AnswersDraft {
        travel: Some(TravelDraft {
            yes: Some(travelled),
            detail: travelled.then(|| "Thành phố Hồ Chí Minh".to_owned()),
        }),
        symptoms: Some(SymptomsDraft {
            yes: Some(!symptoms.is_empty()),
            which: Some(which),
            detail: None,
        }),
        contact_case: Some(false),
        contact_affected_area: Some(false),
        contact_symptomatic: Some(false),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nobody_shares_a_number_and_none_is_given_out() {
        let regions = Regions::load().unwrap();
        let pseudonymizer = Pseudonymizer::new(&[7; 32], 1);
        let now = Timestamp::from_ms(1_794_965_400_000);
        let people = everybody(&regions, &pseudonymizer, &Dice::new(1), now).unwrap();
        assert!((2000..=4000).contains(&people.len()), "{}", people.len());
        let different: HashSet<_> = people.iter().map(|somebody| somebody.person.id).collect();
        assert_eq!(different.len(), people.len());
        let parts = people.iter().filter_map(|somebody| somebody.part);
        assert_eq!(parts.count(), 5);
        for somebody in &people {
            let phone = somebody.declaration.contact.phone.as_ref().unwrap();
            let vietnamese = phone.is_vietnamese();
            assert!(!vietnamese || !phone.is_known_prefix());
            assert_eq!(!vietnamese, somebody.part == Some(Part::Traveller));
        }
        let far = people
            .iter()
            .filter(|somebody| somebody.declaration.province.as_deref() == Some(NEIGHBOUR));
        assert!((20..200).contains(&far.count()));
    }
}
