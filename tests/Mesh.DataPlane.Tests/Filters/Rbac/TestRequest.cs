using System.Net;
using Mesh.DataPlane.Filters.Rbac;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Tests.Matching;
using Mesh.Filters;

namespace Mesh.DataPlane.Tests.Filters.Rbac;

/// <summary>A request, and the connection that it came in by.</summary>
internal sealed record TestRequest(string Path = "/", string Method = "GET", string Authority = "reviews:9080")
{
    public ConnectionFacts? Connection { get; init; } = new() { RemoteEndPoint = new IPEndPoint(IPAddress.Parse("10.1.2.3"), 40000), LocalEndPoint = new IPEndPoint(IPAddress.Parse("10.9.9.9"), 9080) };

    public IPAddress? RemoteAddress { get; init; } = IPAddress.Parse("10.1.2.3");

    /// <summary>By lower-case name; lines are parted by a line feed.</summary>
    public Dictionary<string, string> Headers { get; init; } = [];

    public HttpExchange? Exchange { get; init; }

    public TestRequest With(string name, params string[] lines) => this with { Headers = new(Headers) { [name] = string.Join('\n', lines) } };

    public RbacVerdict Decide(RbacEngine engine)
        => engine.Decide(new RbacRequest(FakeHeaders.View(Path, Headers, Method, Authority), Connection, RemoteAddress, Exchange));

    public bool Passes(RbacEngine engine) => Decide(engine).IsAllowed;
}
