//! How large the worlds are that are looked at, and in which of them a missing guard shows.

use crate::model::guard::Guard;
use crate::model::protocol::Bounds;
use crate::model::world::Left;

const NONE: Left = Left {
    crashes: 0,
    stalls: 0,
    unheard: 0,
    faults: 0,
    losses: 0,
    cancels: 0,
    revisions: 0,
    retries: 0,
    parkings: 0,
    relay_crashes: 0,
    relay_stalls: 0,
    relay_faults: 0,
    right_tokens: 0,
    wrong_tokens: 0,
    offers: 0,
    late: 0,
};

const ALONE: Bounds = Bounds {
    workers: 1,
    callers: 1,
    relays: 0,
    people: 0,
    offered: false,
    left: NONE,
};

/// Two workers take over from each other while it is cancelled.
const TAKEN_OVER: Bounds = Bounds {
    workers: 2,
    left: Left {
        stalls: 1,
        cancels: 1,
        ..NONE
    },
    ..ALONE
};

/// Attempts fail, and their workers die.
const DYING: Bounds = Bounds {
    left: Left { crashes: 3, ..NONE },
    ..ALONE
};

const FAILING: Bounds = Bounds {
    left: Left {
        faults: 3,
        cancels: 1,
        ..NONE
    },
    ..ALONE
};

/// Two hosts wish different things at once, and do not always hear what became of it.
const CONTESTED: Bounds = Bounds {
    callers: 2,
    left: Left {
        unheard: 1,
        revisions: 1,
        ..NONE
    },
    ..ALONE
};

/// An operator stops the workers, and lets them go on.
const STOPPED: Bounds = Bounds {
    workers: 2,
    left: Left {
        stalls: 1,
        parkings: 1,
        ..NONE
    },
    ..ALONE
};

const VANISHING: Bounds = Bounds {
    left: Left { losses: 1, ..NONE },
    ..ALONE
};

/// Two relays tell what happens.
const TOLD: Bounds = Bounds {
    relays: 2,
    left: Left {
        cancels: 1,
        relay_crashes: 1,
        relay_stalls: 1,
        relay_faults: 1,
        ..NONE
    },
    ..ALONE
};

const RELAYS_DYING: Bounds = Bounds {
    relays: 1,
    left: Left {
        relay_crashes: 3,
        ..NONE
    },
    ..ALONE
};

/// Two people have the token, and others guess.
const SHOWN: Bounds = Bounds {
    people: 2,
    offered: true,
    left: Left {
        unheard: 1,
        right_tokens: 2,
        wrong_tokens: 6,
        offers: 1,
        late: 1,
        ..NONE
    },
    ..ALONE
};

/// Worlds that are looked at wholly within seconds, whatever is built with.
pub(crate) fn small() -> Vec<(&'static str, Bounds)> {
    vec![
        ("taken over", TAKEN_OVER),
        ("dying", DYING),
        ("failing", FAILING),
        ("contested", CONTESTED),
        ("stopped", STOPPED),
        ("vanishing", VANISHING),
        ("told", TOLD),
        ("shown", SHOWN),
    ]
}

/// What can go wrong goes wrong, at once.
pub(crate) fn large() -> Vec<(&'static str, Bounds)> {
    let stopped = Bounds {
        workers: 2,
        left: Left {
            crashes: 1,
            stalls: 1,
            cancels: 1,
            revisions: 1,
            parkings: 1,
            ..NONE
        },
        ..ALONE
    };
    let contested = Bounds {
        callers: 2,
        left: Left {
            crashes: 1,
            unheard: 1,
            cancels: 1,
            revisions: 1,
            ..NONE
        },
        ..ALONE
    };
    let retried = Bounds {
        workers: 2,
        left: Left {
            crashes: 1,
            stalls: 1,
            faults: 1,
            cancels: 1,
            retries: 1,
            ..NONE
        },
        ..ALONE
    };
    let failing = Bounds {
        workers: 2,
        left: Left {
            crashes: 1,
            stalls: 1,
            unheard: 1,
            faults: 1,
            cancels: 1,
            ..NONE
        },
        ..ALONE
    };
    let told = Bounds {
        relays: 2,
        left: Left {
            crashes: 1,
            cancels: 1,
            relay_crashes: 1,
            relay_stalls: 1,
            relay_faults: 1,
            ..NONE
        },
        ..ALONE
    };
    vec![
        ("stopped and revised while workers come and go", stopped),
        ("two hosts of different minds", contested),
        ("failed and tried again", retried),
        ("attempts and answers that fail", failing),
        ("told by two relays", told),
    ]
}

/// Each guard, a world in which it is missed, and how that shows.
pub(crate) const SEEDED: [(Guard, Bounds, &str); 27] = [
    (
        Guard::Fence,
        TAKEN_OVER,
        "who has lost the lease writes nothing",
    ),
    (
        Guard::Revision,
        CONTESTED,
        "the row is what its journal adds up to",
    ),
    (Guard::Commands, CONTESTED, "a command counts once"),
    (
        Guard::AttemptsCounted,
        DYING,
        "nothing is attempted more often than allowed",
    ),
    (
        Guard::Leased,
        TAKEN_OVER,
        "a lease is taken over when it has run out",
    ),
    (Guard::Renewal, TAKEN_OVER, "a lost lease is not renewed"),
    (
        Guard::Return,
        STOPPED,
        "a lease is given back by its holder",
    ),
    (
        Guard::Parking,
        STOPPED,
        "what workers are to do is in the queue",
    ),
    (
        Guard::WakeUp,
        TAKEN_OVER,
        "a lease is taken over when it has run out",
    ),
    (
        Guard::Outbox,
        CONTESTED,
        "every change of stage has its message",
    ),
    (Guard::Oldest, TOLD, "messages come in order"),
    (Guard::Settling, TOLD, "messages come in order"),
    (
        Guard::DeliveriesCounted,
        RELAYS_DYING,
        "a message is tried no more often than allowed",
    ),
    (
        Guard::Backwards,
        FAILING,
        "the last effect is taken back first",
    ),
    (Guard::UnderWay, FAILING, "nothing is left behind unlisted"),
    (Guard::Remainder, FAILING, "nothing is left behind unlisted"),
    (
        Guard::Verification,
        VANISHING,
        "complete means that all is there",
    ),
    (
        Guard::RetryCounted,
        FAILING,
        "nothing is attempted more often than allowed",
    ),
    (
        Guard::WrongTokens,
        SHOWN,
        "five wrong tokens burn the right one",
    ),
    (Guard::TokenTime, SHOWN, "nothing is shown after its time"),
    (
        Guard::Allowed,
        DYING,
        "nothing is attempted more often than allowed",
    ),
    (Guard::LateReport, FAILING, "an undo is told what was made"),
    (
        Guard::ToldFirst,
        TOLD,
        "a message is told before it is forgotten",
    ),
    (Guard::Identity, TOLD, "a message keeps its name"),
    (
        Guard::GivenUp,
        RELAYS_DYING,
        "a message is tried no more often than allowed",
    ),
    (Guard::OneWinner, SHOWN, "a token shows the secret once"),
    (
        Guard::JournalFirst,
        SHOWN,
        "nothing is shown that the journal does not tell",
    ),
];
