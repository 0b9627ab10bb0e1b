//! Believable names, made from a number.

/// What a course is about, and what its instructors say about it.
const SUBJECTS: [(&str, &str); 40] = [
    ("Rust", "ownership, traits and async"),
    ("Linear Algebra", "vectors, matrices and what they mean"),
    ("Watercolour", "washes, light and patience"),
    ("Public Speaking", "structure, voice and calm"),
    ("Spanish", "conversation from the first day"),
    ("Photography", "exposure, composition and editing"),
    ("PostgreSQL", "schemas, indexes and query plans"),
    ("Screenwriting", "scenes, dialogue and rewriting"),
    ("Statistics", "samples, tests and doubt"),
    ("Bread Baking", "flour, water, salt and time"),
    ("Machine Learning", "models that you can explain"),
    ("Guitar", "rhythm, chords and first songs"),
    ("Product Design", "problems before pixels"),
    ("Japanese", "kana, kanji and small talk"),
    ("Accounting", "the story that the books tell"),
    ("Kubernetes", "deployments that stay up"),
    ("Music Theory", "harmony that you can hear"),
    ("Project Management", "plans that survive Monday"),
    ("Calculus", "change, one limit at a time"),
    ("Creative Writing", "voice, scene and revision"),
    ("Cybersecurity", "thinking like an attacker, building like a defender"),
    ("Yoga", "breath, balance and strength"),
    ("Organic Chemistry", "mechanisms instead of memorising"),
    ("TypeScript", "types that help"),
    ("Negotiation", "interests, options and no"),
    ("Astronomy", "the sky above your house"),
    ("French", "grammar with a smile"),
    ("Data Visualisation", "charts that tell the truth"),
    ("Woodworking", "joints, tools and safety"),
    ("Microeconomics", "choices, prices and incentives"),
    ("Swift", "apps that feel at home"),
    ("World History", "six thousand years, one thread"),
    ("GraphQL", "schemas that clients love"),
    ("Drawing", "seeing first, lines second"),
    ("Personal Finance", "budgets, risk and sleep"),
    ("Game Development", "loops, levels and play"),
    ("German", "word order without fear"),
    ("Leadership", "trust, feedback and direction"),
    ("Human Anatomy", "how you move"),
    ("Electronics", "circuits from battery to board"),
];

const FORMS: [(&str, &str); 10] = [
    ("{} from Scratch", "Everything that a beginner needs"),
    ("{} in Practice", "Learn by doing"),
    ("The Complete {} Course", "From the first step to your own project"),
    ("{} for Busy People", "Twenty minutes a day"),
    ("Intermediate {}", "For those who know the basics"),
    ("{} Masterclass", "How professionals do it"),
    ("{} by Example", "One small project after another"),
    ("Understanding {}", "The ideas behind the rules"),
    ("{} for Teachers", "Learn it, then pass it on"),
    ("{} Workshop", "Hands on, with feedback"),
];

const SECTIONS: [&str; 6] =
    ["Getting Started", "The Foundations", "Going Deeper", "In Practice", "Common Mistakes", "Your Project"];

const LESSONS: [&str; 12] = [
    "What you will learn",
    "The tools you need",
    "A first example",
    "The vocabulary",
    "Step by step",
    "Exercise and solution",
    "Questions from students",
    "A closer look",
    "Putting it together",
    "What can go wrong",
    "A larger example",
    "Summary and next steps",
];

const FIRST: [&str; 32] = [
    "Ada", "Grace", "Alan", "Emmy", "Noor", "Chidi", "Mei", "Lars", "Sofia", "Yusuf", "Priya", "Mateo", "Ingrid",
    "Kofi", "Hana", "Tomás", "Zofia", "Omar", "Leila", "Finn", "Aiko", "Diego", "Nadia", "Elias", "Ruth", "Samir",
    "Greta", "Tariq", "Yuki", "Marta", "Jonas", "Amara",
];

const LAST: [&str; 40] = [
    "Lovelace",
    "Okafor",
    "Nguyen",
    "Schmidt",
    "García",
    "Haddad",
    "Kowalski",
    "Tanaka",
    "Silva",
    "Novak",
    "Osei",
    "Larsen",
    "Rossi",
    "Patel",
    "Moreau",
    "Kaya",
    "Ivanova",
    "Chen",
    "Mbeki",
    "Andersson",
    "Fernández",
    "Nakamura",
    "Dubois",
    "Costa",
    "Rahman",
    "Weber",
    "Popescu",
    "Kim",
    "Jansen",
    "Mendes",
    "Horvat",
    "Bianchi",
    "Ali",
    "Sato",
    "Meyer",
    "Fofana",
    "Lindqvist",
    "Torres",
    "Byrne",
    "Vargas",
];

/// The name and the address of person number `number`; the first three are the demo accounts.
pub(super) fn person(number: usize) -> (String, String) {
    let name = format!("{} {}", pick(&FIRST, number), pick(&LAST, number / FIRST.len() + number * 7));
    let email = match number {
        0 => "admin@lyceum.example".into(),
        1 => "instructor@lyceum.example".into(),
        2 => "student@lyceum.example".into(),
        number => format!("{}.{number}@school.example", slug::slugify(&name)),
    };
    (name, email)
}

/// A course's texts, and its sections with their lessons and durations in seconds.
pub(super) struct Outline {
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) description: String,
    pub(super) sections: Vec<(String, Vec<(String, i32)>)>,
}

impl Outline {
    pub(super) fn of(number: usize) -> Outline {
        let (subject, about) = *pick(&SUBJECTS, number);
        let (form, promise) = *pick(&FORMS, number / SUBJECTS.len() + number);
        let title = form.replace("{}", subject);
        let sections = (0..3 + number % 3)
            .map(|section| {
                let lessons = (0..3 + (number + section) % 3).map(|lesson| {
                    let title = pick(&LESSONS, section * 4 + lesson).to_string();
                    let seconds = 240 + (number * 37 + section * 61 + lesson * 83) % 900;
                    (title, i32::try_from(seconds).unwrap_or(600))
                });
                (pick(&SECTIONS, section).to_string(), lessons.collect())
            })
            .collect();
        Outline {
            subtitle: format!("{promise}: {about}."),
            description: format!(
                "## About this course\n\n**{title}** is about {about}. {promise}.\n\n- short lessons that build on each \
                 other\n- exercises with solutions\n- questions answered by the instructor\n"
            ),
            title,
            sections,
        }
    }
}

fn pick<T>(list: &[T], number: usize) -> &T {
    // The lists are constants with at least one entry.
    #[allow(clippy::indexing_slicing)]
    &list[number % list.len()]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_same_number_gives_the_same_and_another_one_something_else() {
        assert_eq!(Outline::of(7).title, Outline::of(7).title);
        let titles: HashSet<String> = (0..200).map(|number| Outline::of(number).title).collect();
        assert!(titles.len() > 150, "{}", titles.len());
        let emails: HashSet<String> = (0..50_000).map(|number| person(number).1).collect();
        assert_eq!(emails.len(), 50_000);
    }
}
