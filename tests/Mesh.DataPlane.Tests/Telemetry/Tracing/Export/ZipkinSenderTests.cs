using System.Text.Json;
using Mesh.DataPlane.Telemetry.Tracing.Export;
using Shouldly;

namespace Mesh.DataPlane.Tests.Telemetry.Tracing.Export;

public sealed class ZipkinSenderTests
{
    [Fact]
    public async Task A_span_is_as_Zipkins_second_version_has_it()
    {
        var post = new RecordingPost();

        await new ZipkinSender(post, "productpage.default").SendAsync([Spans.Of("GET", isError: true)], default);

        post.ContentType.ShouldBe("application/json");
        using var json = JsonDocument.Parse(post.Body);
        var span = json.RootElement.EnumerateArray().Single();
        span.GetProperty("traceId").GetString().ShouldBe("463ac35c9f6413ad48485a3953bb6124");
        span.GetProperty("id").GetString().ShouldBe("0020000000000001");
        span.GetProperty("parentId").GetString().ShouldBe("00f067aa0ba902b7");
        span.GetProperty("kind").GetString().ShouldBe("CLIENT");
        span.GetProperty("name").GetString().ShouldBe("GET");
        span.GetProperty("timestamp").GetInt64().ShouldBe(1_000_000);
        span.GetProperty("duration").GetInt64().ShouldBe(5_000);
        span.GetProperty("localEndpoint").GetProperty("serviceName").GetString().ShouldBe("productpage.default");
        var remote = span.GetProperty("remoteEndpoint");
        remote.GetProperty("serviceName").GetString().ShouldBe("reviews");
        remote.GetProperty("ipv4").GetString().ShouldBe("10.0.0.7");
        remote.GetProperty("port").GetInt32().ShouldBe(9080);
        span.GetProperty("tags").EnumerateObject().ToDictionary(tag => tag.Name, tag => tag.Value.GetString()).ShouldBe(
            new Dictionary<string, string?> { ["server.address"] = "reviews", ["http.response.status_code"] = "503", ["network.peer.address"] = "10.0.0.7", ["network.peer.port"] = "9080" },
            ignoreOrder: true);
        var annotation = span.GetProperty("annotations").EnumerateArray().Single();
        annotation.GetProperty("timestamp").GetInt64().ShouldBe(1_001_000);
        annotation.GetProperty("value").GetString().ShouldBe("mesh.attempt mesh.attempt=1 flag=true");
    }
}
