"""What simulated workers do beside the rule, each compiled into one pass over the parameters.

R replicates, P parameters. Arrays (n, P) have a row for each worker of each replicate; `places` (R,) are the rows of
those whose update it is.
"""

from cooldown.objectives.kernel_cache import kernel


@kernel()
def add_and_move(sums, copies, point, gradient, rates, places):  # type: ignore[no-untyped-def]
    """sums (n, P) ← sums + g; copies (n, P) ← point − η·g, with point, gradient (R, P) and rates (R,)."""
    for r in range(places.size):
        total, copy, at, of_replicate = sums[places[r]], copies[places[r]], point[r], gradient[r]
        for p in range(copy.size):
            total[p] += of_replicate[p]
            copy[p] = at[p] - rates[r] * of_replicate[p]


@kernel()
def exchange(theta, copy, force, joining):  # type: ignore[no-untyped-def]
    """Draw theta and copy (R, P) to each other by force (R,) of their difference, where `joining` (R,)."""
    for r in range(len(theta)):
        if joining[r]:
            common, own = theta[r], copy[r]
            for p in range(own.size):
                drawn = force[r] * (own[p] - common[p])
                common[p] += drawn
                own[p] -= drawn


@kernel()
def ahead_of(copies, velocities, decay, places, copy, ahead):  # type: ignore[no-untyped-def]
    """copy (R, P) ← copies; ahead (R, P) ← copies + δ·velocities, with decay δ (R,)."""
    for r in range(places.size):
        of_worker, velocity, own, next_to = copies[places[r]], velocities[places[r]], copy[r], ahead[r]
        for p in range(own.size):
            own[p] = of_worker[p]
            next_to[p] = own[p] + decay[r] * velocity[p]


@kernel()
def move_on(copies, velocities, decay, places, before, copy):  # type: ignore[no-untyped-def]
    """velocities (n, P) ← δ·velocities + copy − before; copies (n, P) ← before + velocities.

    before, copy (R, P): the parameters before and after an update of the rule.
    """
    for r in range(places.size):
        of_worker, velocity, own, was = copies[places[r]], velocities[places[r]], copy[r], before[r]
        for p in range(own.size):
            velocity[p] = decay[r] * velocity[p] + (own[p] - was[p])
            of_worker[p] = was[p] + velocity[p]
