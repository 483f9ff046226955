using Envoy.Config.Core.V3;
using Envoy.Type.Metadata.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.Tracing;
using Mesh.DataPlane.Tests.Telemetry.AccessLogs;
using Mesh.Xds.Client;
using Shouldly;
using EnvoyTag = Envoy.Type.Tracing.V3.CustomTag;

namespace Mesh.DataPlane.Tests.Telemetry.Tracing;

public sealed class CustomTagTests
{
    private readonly List<string> _notes = [];

    [Theory]
    [InlineData("REQUEST", "foo")]
    [InlineData("ROUTE", "of the route")]
    [InlineData("HOST", "of the host")]
    [InlineData("CLUSTER", "nobody")]
    public void A_tag_may_be_what_is_said_of_the_request_its_route_its_cluster_or_its_endpoint(string kind, string expected)
    {
        var tag = new EnvoyTag
        {
            Tag = "m",
            Metadata = new()
            {
                Kind = kind switch
                {
                    "ROUTE" => new MetadataKind { Route = new() },
                    "CLUSTER" => new MetadataKind { Cluster = new() },
                    "HOST" => new MetadataKind { Host = new() },
                    _ => new MetadataKind { Request = new() },
                },
                MetadataKey = new MetadataKey { Key = "com.test", Path = { new MetadataKey.Types.PathSegment { Key = "key" } } },
                DefaultValue = "nobody",
            },
        };

        ValueOf(tag).ShouldBe(expected);
        _notes.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("inner", """{"a":1}""")]
    [InlineData("number", "7")]
    [InlineData("none", null)]
    public void What_is_no_text_is_JSON_and_what_is_not_there_no_tag(string key, string? expected)
        => ValueOf(new EnvoyTag
        {
            Tag = "m",
            Metadata = new() { Kind = new MetadataKind { Route = new() }, MetadataKey = new MetadataKey { Key = "com.test", Path = { new MetadataKey.Types.PathSegment { Key = key } } } },
        }).ShouldBe(expected);

    [Fact]
    public void The_environment_is_read_by_the_names_that_the_process_lets_out()
    {
        System.Environment.SetEnvironmentVariable("MESH_TEST_TAG_OPEN", "open");
        System.Environment.SetEnvironmentVariable("MESH_TEST_TAG_SECRET", "secret");
        var options = new MeshOptions { Tracing = { EnvironmentVariables = { "MESH_TEST_TAG_OPEN", "MESH_TEST_TAG_UNSET" } } };
        var workload = TracedWorkload.Of(options, null);

        ValueOf(Variable("MESH_TEST_TAG_OPEN"), workload).ShouldBe("open");
        ValueOf(Variable("MESH_TEST_TAG_UNSET"), workload).ShouldBe("-");
        ValueOf(Variable("MESH_TEST_TAG_SECRET"), workload).ShouldBe("-");
        ValueOf(Variable("MESH_TEST_TAG_OPEN"), TracedWorkload.Of(new MeshOptions(), null)).ShouldBe("-");
        _notes.ShouldAllBe(note => note.Contains("Mesh:Tracing:EnvironmentVariables", StringComparison.Ordinal));
        workload.ToString().ShouldNotContain("secret");
    }

    [Fact]
    public void What_Kubernetes_says_of_the_pod_is_read_without_a_word()
    {
        ValueOf(Variable("POD_NAME"), TracedWorkload.Unknown with { Environment = new Dictionary<string, string> { ["POD_NAME"] = "reviews-7" } }).ShouldBe("reviews-7");
        _notes.ShouldBeEmpty();
    }

    [Fact]
    public void Metadata_without_a_key_is_refused()
        => Should.Throw<ResourceRejectedException>(() => ValueOf(new EnvoyTag { Tag = "m", Metadata = new() { Kind = new MetadataKind { Route = new() } } })).Message.ShouldContain("tags[0].metadata.metadata_key");

    private static EnvoyTag Variable(string name) => new() { Tag = "e", Environment = new() { Name = name, DefaultValue = "-" } };

    private string? ValueOf(EnvoyTag message, TracedWorkload? workload = null)
    {
        var tag = CustomTagCompiler.Compile([message], "tags", _notes).Single();
        var record = FinishedRequest.Create(change: request =>
        {
            request.Metadata = FinishedRequest.Metadata;
            request.Endpoint = request.Endpoint is { } endpoint ? endpoint with { Resource = endpoint.Resource with { Metadata = MetadataOf("""{"key":"of the host"}""") } } : null;
            request.Route = new RouteEntry(0, "r", new RouteMatch(new PathMatch(PathMatchKind.Prefix, "/", true), RouteConditions.None), new RouteAction.Unsupported("none"))
            {
                Metadata = MetadataOf("""{"key":"of the route","inner":{"a":1},"number":7}"""),
            };
        });
        return tag.ValueOf(record, workload ?? TracedWorkload.Unknown);
    }

    private static ResourceMetadata? MetadataOf(string json) => ResourceMetadata.Of(new Metadata { FilterMetadata = { ["com.test"] = Struct.Parser.ParseJson(json) } });
}
