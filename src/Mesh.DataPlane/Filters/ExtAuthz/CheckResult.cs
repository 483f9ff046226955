using System.Text.Json.Nodes;
using Mesh.DataPlane.Filters.HeaderMutation;

namespace Mesh.DataPlane.Filters.ExtAuthz;

/// <summary>What an authorizer has answered.</summary>
internal sealed record CheckResult(CheckStatus Status)
{
    /// <summary>The status of a refusal; 0 where the authorizer leaves it to the filter.</summary>
    public int HttpStatus { get; init; }

    public string Body { get; init; } = "";

    /// <summary>What is to be done to the request, or, for a refusal, the headers of the response.</summary>
    public IReadOnlyList<HeaderChange> Headers { get; init; } = [];

    public IReadOnlyList<string> HeadersToRemove { get; init; } = [];

    public IReadOnlyList<HeaderChange> ResponseHeaders { get; init; } = [];

    public IReadOnlyList<(string Key, string Value)> QueryToSet { get; init; } = [];

    public IReadOnlyList<string> QueryToRemove { get; init; } = [];

    public JsonObject? Metadata { get; init; }

    /// <summary>Some header was to be changed in a way that is not known.</summary>
    public bool HasUnknownAction { get; init; }

    public bool ChangesRequest => Headers.Count + HeadersToRemove.Count + QueryToSet.Count + QueryToRemove.Count > 0;
}

/// <summary>The answer in a word.</summary>
internal enum CheckStatus
{
    Ok,
    Denied,
    Error,
}

/// <summary>A header that an authorizer gives.</summary>
/// <param name="Name">In lower case.</param>
/// <param name="Value">The value.</param>
/// <param name="Action">What happens where it is there already.</param>
/// <param name="OnlyIfExists">It is appended to a header that is there, and otherwise left out.</param>
internal readonly record struct HeaderChange(string Name, string Value, HeaderWrite Action, bool OnlyIfExists = false);
