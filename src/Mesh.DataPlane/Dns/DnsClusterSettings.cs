using Google.Protobuf;

namespace Mesh.DataPlane.Dns;

/// <summary>How a cluster finds its endpoints by name. Equal settings find the same, so that a change of policy alone asks nobody.</summary>
/// <param name="IsLogical">All addresses are one host, new connections of which go to the first (Envoy's <c>LOGICAL_DNS</c>); otherwise each is a host.</param>
/// <param name="Family">Which addresses.</param>
/// <param name="UseTcp">Never over UDP.</param>
/// <param name="RefreshRate">How long after an answer the name is asked for again; Envoy's default is 5 seconds.</param>
/// <param name="RespectTimeToLive">After as long as the answer holds instead.</param>
/// <param name="MinRefreshRate">But not earlier than that.</param>
/// <param name="Jitter">Later by chance, by less than that.</param>
/// <param name="FailureRefreshRate">How long after a failure; without it as long as after an answer.</param>
/// <param name="LoadAssignment">The names and what is said of their endpoints, as sent.</param>
internal sealed record DnsClusterSettings(
    bool IsLogical,
    DnsLookupFamily Family,
    bool UseTcp,
    TimeSpan RefreshRate,
    bool RespectTimeToLive,
    TimeSpan MinRefreshRate,
    TimeSpan Jitter,
    DnsFailureRefreshRate? FailureRefreshRate,
    ByteString LoadAssignment);

/// <summary>Envoy's <c>dns_failure_refresh_rate</c>: from the base doubling to the maximum, each time a random part of it.</summary>
internal sealed record DnsFailureRefreshRate(TimeSpan Base, TimeSpan Max);
