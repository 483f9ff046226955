using System.Net;
using System.Text.Json.Nodes;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Upstream;
using Mesh.Testing;

namespace Mesh.DataPlane.Tests.Telemetry.AccessLogs;

/// <summary>A request that is over, as one of the labs' logs shows it; tests change what they are about.</summary>
internal static class FinishedRequest
{
    public static readonly DateTimeOffset Start = new(2017, 8, 8, 0, 22, 56, 670, TimeSpan.Zero);

    /// <summary>The record; a sink is told of it by <see cref="RequestRecord.Release"/>.</summary>
    public static RequestRecord Create(RequestSink? sink = null, Action<RequestRecord>? change = null, Reporter reporter = Reporter.Source, ManualTimeProvider? time = null)
    {
        time ??= new ManualTimeProvider(Start);
        time.Advance(TimeSpan.FromTicks(1));
        var request = new HttpRequestMessage(HttpMethod.Get, "http://service-two/");
        request.Headers.TryAddWithoutValidation("user-agent", "curl/7.47.0");
        var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(new byte[558]) };
        response.Headers.Add("x-envoy-upstream-service-time", "106");
        var resource = new EndpointResource(new IPEndPoint(IPAddress.Parse("172.17.0.8"), 8080), "", 1, EndpointHealth.Healthy, new Dictionary<string, string>());
        var record = RequestRecord.Rent(new RequestSignals(reporter, sink is null ? [] : [sink], null, time));
        record.Request = request;
        record.RequestHeaders = HttpRequestHeaderReader.Instance;
        (record.Method, record.Path, record.Authority, record.Scheme, record.Protocol) = ("GET", "/", "service-two", "http", HttpVersion.Version11);
        record.RequestId = "cd30da12-ee24-9429-b188-2d494017c083";
        change?.Invoke(record);
        record.Begin();
        record.UpstreamBegan = time.GetTimestamp();
        time.Advance(TimeSpan.FromMilliseconds(1));
        record.RequestEnded = time.GetTimestamp();
        time.Advance(TimeSpan.FromMilliseconds(105));
        record.ResponseBegan = time.GetTimestamp();
        time.Advance(TimeSpan.FromMilliseconds(1));
        (record.Status, record.Details, record.ResponseBytes, record.Attempts) = (200, "via_upstream", 558, 1);
        record.Response = response;
        record.ResponseHeaders = HttpResponseHeaderReader.Instance;
        record.ResponseTrailers = HttpResponseHeaderReader.Trailers;
        record.UpstreamProtocol = HttpVersion.Version11;
        record.ClusterName = "outbound|80||service-two.default.svc.cluster.local";
        record.Endpoint = new Endpoint(resource, "", 0, new EndpointState(() => throw new InvalidOperationException()));
        record.Route = new RouteEntry(0, "default", new RouteMatch(new PathMatch(PathMatchKind.Prefix, "/", true), RouteConditions.None), new RouteAction.Unsupported("none"));
        change?.Invoke(record);
        return record;
    }

    /// <summary>What a log's context is: the id that the message had on its way is there.</summary>
    public static FormatContext Context(Action<RequestRecord>? change = null)
    {
        var record = Create(change: change);
        ((HttpRequestMessage)record.Request!).Headers.TryAddWithoutValidation("x-request-id", record.RequestId);
        return record.Format;
    }

    public static ConnectionFacts Connection => new() { RemoteEndPoint = IPEndPoint.Parse("10.1.2.3:4711"), LocalEndPoint = IPEndPoint.Parse("10.1.2.4:8080"), IsTls = true, RequestedServerName = "service-two" };

    public static IReadOnlyDictionary<string, JsonObject> Metadata { get; } = new Dictionary<string, JsonObject>
    {
        ["com.test"] = JsonNode.Parse("""{"key":"foo","number":7,"object":{"inner":"bar"},"evil":"a\nb"}""")!.AsObject(),
    };
}
