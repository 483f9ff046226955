namespace Mesh.Xds.Serving;

/// <summary>One kind of resource on one stream: what was sent, what was acknowledged, and the last refusal.</summary>
internal sealed record AdsTypeStatus(string TypeUrl, int Subscribed, bool Wildcard, string SentVersion, string AckedVersion, string? LastNack, long Responses, long Requests)
{
    /// <summary>How far the client is.</summary>
    public AdsSyncState State { get; init; }

    /// <summary>The version that <see cref="LastNack"/> is about; empty when the last answer was an ACK.</summary>
    public string NackedVersion { get; init; } = "";

    /// <summary>When the last response went out.</summary>
    public DateTimeOffset? LastSent { get; init; }

    /// <summary>When the client accepted one last.</summary>
    public DateTimeOffset? LastAcked { get; init; }

    /// <summary>When it refused one last; stays after it has accepted a later one.</summary>
    public DateTimeOffset? LastNacked { get; init; }
}
