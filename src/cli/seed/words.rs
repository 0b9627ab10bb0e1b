//! The words that courses and people are put together from.

/// Course subjects: subject, what the course covers, and category.
pub(super) const SUBJECTS: [(&str, &str, &str); 40] = [
    ("Rust", "ownership, traits and async", "Programming"),
    ("Linear Algebra", "vectors, matrices and what they mean", "Mathematics"),
    ("Watercolor", "washes, light and patience", "Visual Arts"),
    ("Public Speaking", "structure, voice and calm", "Business"),
    ("Spanish", "conversation from the first day", "Languages"),
    ("Photography", "exposure, composition and editing", "Visual Arts"),
    ("PostgreSQL", "schemas, indexes and query plans", "Data"),
    ("Screenwriting", "scenes, dialogue and rewriting", "Writing"),
    ("Statistics", "samples, tests and doubt", "Mathematics"),
    ("Bread Baking", "flour, water, salt and time", "Home and Health"),
    ("Machine Learning", "models that you can explain", "Data"),
    ("Guitar", "rhythm, chords and first songs", "Music"),
    ("Product Design", "problems before pixels", "Business"),
    ("Japanese", "kana, kanji and small talk", "Languages"),
    ("Accounting", "the story that the books tell", "Business"),
    ("Kubernetes", "deployments that stay up", "Operations"),
    ("Music Theory", "harmony that you can hear", "Music"),
    ("Project Management", "plans that survive Monday", "Business"),
    ("Calculus", "change, one limit at a time", "Mathematics"),
    ("Creative Writing", "voice, scene and revision", "Writing"),
    ("Cybersecurity", "thinking like an attacker, building like a defender", "Operations"),
    ("Yoga", "breath, balance and strength", "Home and Health"),
    ("Organic Chemistry", "mechanisms instead of memorising", "Nature"),
    ("TypeScript", "types that help", "Programming"),
    ("Negotiation", "interests, options and no", "Business"),
    ("Astronomy", "the sky above your house", "Nature"),
    ("French", "grammar with a smile", "Languages"),
    ("Data Visualisation", "charts that tell the truth", "Data"),
    ("Woodworking", "joints, tools and safety", "Visual Arts"),
    ("Microeconomics", "choices, prices and incentives", "Business"),
    ("Swift", "apps that feel at home", "Programming"),
    ("World History", "six thousand years, one thread", "Writing"),
    ("GraphQL", "schemas that clients love", "Programming"),
    ("Drawing", "seeing first, lines second", "Visual Arts"),
    ("Personal Finance", "budgets, risk and sleep", "Business"),
    ("Game Development", "loops, levels and play", "Programming"),
    ("German", "word order without fear", "Languages"),
    ("Leadership", "trust, feedback and direction", "Business"),
    ("Human Anatomy", "how you move", "Nature"),
    ("Electronics", "circuits from battery to board", "Programming"),
];

pub(super) const FORMS: [(&str, &str); 10] = [
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

pub(super) const SECTIONS: [&str; 6] =
    ["Getting Started", "The Foundations", "Going Deeper", "In Practice", "Common Mistakes", "Your Project"];

/// Lesson titles, and which of the lessons are articles.
pub(super) const LESSONS: [(&str, bool); 12] = [
    ("What you will learn", false),
    ("The tools you need", false),
    ("A first example", false),
    ("The vocabulary", true),
    ("Step by step", false),
    ("Exercise and solution", true),
    ("Questions from students", false),
    ("A closer look", false),
    ("Putting it together", false),
    ("What can go wrong", false),
    ("A larger example", false),
    ("Summary and next steps", true),
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

/// Returns the name and email address of user `number`. Numbers 0 to 2 are the demo accounts.
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

/// Returns the element with this number, from the start again after the last one.
pub(super) fn pick<T>(list: &[T], number: usize) -> &T {
    // The lists are non-empty constants.
    #[allow(clippy::indexing_slicing)]
    &list[number % list.len()]
}
