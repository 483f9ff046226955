using System.Diagnostics;
using Mesh.DataPlane.Telemetry.Tracing;

namespace Mesh.DataPlane.Tests.Telemetry.Tracing.Export;

/// <summary>Spans that are over.</summary>
internal static class Spans
{
    public static FinishedSpan Of(string name = "GET", bool isError = false) => new(
        ActivityTraceId.CreateFromString("463ac35c9f6413ad48485a3953bb6124"),
        ActivitySpanId.CreateFromString("0020000000000001"),
        ActivitySpanId.CreateFromString("00f067aa0ba902b7"),
        "a=b",
        name,
        ActivityKind.Client,
        DateTimeOffset.UnixEpoch.AddSeconds(1),
        TimeSpan.FromMilliseconds(5),
        isError,
        [new("server.address", "reviews"), new("http.response.status_code", 503), new("network.peer.address", "10.0.0.7"), new("network.peer.port", 9080), new("nothing", null)],
        [new ActivityEvent("mesh.attempt", DateTimeOffset.UnixEpoch.AddMilliseconds(1001), new ActivityTagsCollection { ["mesh.attempt"] = 1, ["flag"] = true })]);
}
