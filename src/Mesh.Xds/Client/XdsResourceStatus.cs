using Google.Protobuf;

namespace Mesh.Xds.Client;

/// <summary>One watched resource.</summary>
/// <param name="TypeUrl">Its kind.</param>
/// <param name="Name">Its name.</param>
/// <param name="State">CSDS's client status: REQUESTED, ACKED, NACKED, DOES_NOT_EXIST, RECEIVED_ERROR or TIMEOUT.</param>
/// <param name="Version">The version in use; empty when none is.</param>
/// <param name="Error">What is wrong with it, or with what came after it.</param>
/// <param name="LastUpdated">When it was accepted or removed last.</param>
internal sealed record XdsResourceStatus(string TypeUrl, string Name, string State, string Version, string? Error, DateTimeOffset? LastUpdated)
{
    /// <summary>The message in use, as it was received; <see langword="null"/> when there is none. It may hold keys.</summary>
    public ByteString? Body { get; init; }

    /// <summary>The newer version that was refused; <see langword="null"/> when the last one was not.</summary>
    public XdsRejection? Rejected { get; init; }
}
