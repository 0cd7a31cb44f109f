use super::choices::Choices;
use super::*;

fn ask(choices: Choices) -> Option<Question> {
    choices.ask(Subject::Ports, &mut Random::of(1, 1), Vec::new(), "?", "because")
}

#[test]
fn a_choice_that_says_the_same_is_left_out() {
    let question = ask(Choices::new("5").with(["5", "6", "7", "6", "8", "9"])).unwrap();
    assert_eq!(question.right(), "5");
    let mut choices = question.choices.clone();
    choices.sort();
    assert_eq!(choices, ["5", "6", "7", "8"]);
}

#[test]
fn too_few_choices_are_no_question() {
    assert_eq!(ask(Choices::new("5").with(["5", "6", "6"])), None);
    assert!(ask(Choices::new("5").with(["6", "7"])).is_some());
}

#[test]
fn the_right_choice_may_stand_anywhere() {
    let mut seen = [false; MOST];
    for seed in 0..64 {
        let choices = Choices::new("5").with(["6", "7", "8"]);
        let random = &mut Random::of(seed, 1);
        seen[choices.ask(Subject::Ports, random, Vec::new(), "?", "because").unwrap().answer] = true;
    }
    assert_eq!(seen, [true; MOST]);
}

#[test]
fn every_subject_has_a_name_of_its_own() {
    let mut names: Vec<&str> = Subject::ALL.iter().map(|subject| subject.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Subject::ALL.len());
    for subject in Subject::ALL {
        assert_eq!(serde_json::to_value(subject).unwrap(), subject.name());
        assert_eq!(Subject::from_name(subject.name()), Some(subject));
    }
}
