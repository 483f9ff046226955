namespace Mesh.DataPlane.Explaining;

/// <summary>A request that nobody sends.</summary>
/// <param name="Host">The host, with its port unless that is 80.</param>
/// <param name="Method">The method.</param>
/// <param name="Path">Path and query.</param>
/// <param name="Headers">Names and values.</param>
internal sealed record SupposedRequest(string Host, string Method, string Path, IReadOnlyList<(string Name, string Value)> Headers)
{
    /// <summary>A request has no more than that.</summary>
    public const int MaxHeaders = 100;

    /// <summary><c>http</c> or <c>https</c>.</summary>
    public string Scheme { get; init; } = "http";

    /// <summary>The random draw that it would have; any when <see langword="null"/>.</summary>
    public ulong? Draw { get; init; }
}
