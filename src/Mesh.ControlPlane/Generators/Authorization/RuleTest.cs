namespace Mesh.ControlPlane.Generators.Authorization;

/// <summary>One thing that a rule asks for: a value that must be among some, and among some others must not.</summary>
/// <param name="Values">What it must be one of; empty: anything.</param>
/// <param name="NotValues">What it must not be.</param>
/// <param name="AnyOf">What becomes of values; <see langword="null"/> when nobody can be asked for them on a connection that is not HTTP.</param>
/// <param name="Not">The opposite of what has become of values.</param>
internal readonly record struct RuleTest<T>(IReadOnlyList<string> Values, IReadOnlyList<string> NotValues, Func<IReadOnlyList<string>, T?> AnyOf, Func<T, T> Not)
    where T : class
{
    /// <summary>Adds what must hold.</summary>
    /// <param name="conditions">Receives the conditions, all of which must hold.</param>
    /// <returns>Whether everything could be asked for.</returns>
    public bool AddTo(ICollection<T> conditions)
    {
        var isComplete = true;
        if (Values.Count > 0)
        {
            if (AnyOf(Values) is { } any)
            {
                conditions.Add(any);
            }
            else
            {
                isComplete = false;
            }
        }

        if (NotValues.Count > 0)
        {
            if (AnyOf(NotValues) is { } any)
            {
                conditions.Add(Not(any));
            }
            else
            {
                isComplete = false;
            }
        }

        return isComplete;
    }
}
