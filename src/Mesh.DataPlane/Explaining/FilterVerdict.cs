namespace Mesh.DataPlane.Explaining;

/// <summary>What a filter has to do with a request.</summary>
/// <param name="Name">Its name in the listener.</param>
/// <param name="Kind">The message that configures it.</param>
/// <param name="Verdict"><c>in force</c>, <c>off here</c>, <c>allowed</c>, <c>denied</c>.</param>
/// <param name="Reason">Why, or what it does.</param>
internal sealed record FilterVerdict(string Name, string Kind, string Verdict, string Reason)
{
    /// <summary>The policies that were asked, where it has any.</summary>
    public IReadOnlyList<PolicyVerdict> Policies { get; init; } = [];
}
