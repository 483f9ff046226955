using Envoy.Config.Core.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.ClientStatus;
using Mesh.Xds.Grpc;

namespace Mesh.Xds.Tests.ClientStatus;

/// <summary>Envoy's <c>NodeMatcher</c>.</summary>
public class NodeMatchTests
{
    private static readonly Node Node = new()
    {
        Id = "sidecar~10.0.0.9~productpage-7d.default~default.svc.cluster.local",
        Metadata = Struct.Parser.ParseJson("""{"NAMESPACE":"default","PORT":8080,"READY":true,"NONE":null,"LABELS":{"app":"productpage"},"IPS":["10.0.0.9","::1"]}"""),
    };

    [Theory]
    [InlineData("", true)]
    [InlineData("""{"node_id":{"prefix":"sidecar~"}}""", true)]
    [InlineData("""{"node_id":{"prefix":"SIDECAR~"}}""", false)]
    [InlineData("""{"node_id":{"prefix":"SIDECAR~","ignore_case":true}}""", true)]
    [InlineData("""{"node_id":{"exact":"sidecar~"}}""", false)]
    [InlineData("""{"node_id":{"suffix":"cluster.local"}}""", true)]
    [InlineData("""{"node_id":{"contains":"productpage"}}""", true)]
    [InlineData("""{"node_id":{"safe_regex":{"regex":"sidecar~.*~product.*"}}}""", true)]
    [InlineData("""{"node_id":{"safe_regex":{"regex":"product"}}}""", false)]
    [InlineData("""{"node_metadatas":[{"path":[{"key":"NAMESPACE"}],"value":{"string_match":{"exact":"default"}}}]}""", true)]
    [InlineData("""{"node_metadatas":[{"path":[{"key":"LABELS"},{"key":"app"}],"value":{"string_match":{"exact":"productpage"}}}]}""", true)]
    [InlineData("""{"node_metadatas":[{"path":[{"key":"LABELS"},{"key":"app"},{"key":"x"}],"value":{"present_match":true}}]}""", false)]
    [InlineData("""{"node_metadatas":[{"path":[{"key":"MISSING"}],"value":{"present_match":false}}]}""", true)]
    [InlineData("""{"node_metadatas":[{"path":[{"key":"PORT"}],"value":{"double_match":{"range":{"start":8080,"end":8081}}}}]}""", true)]
    [InlineData("""{"node_metadatas":[{"path":[{"key":"PORT"}],"value":{"double_match":{"exact":80}}}]}""", false)]
    [InlineData("""{"node_metadatas":[{"path":[{"key":"READY"}],"value":{"bool_match":true}}]}""", true)]
    [InlineData("""{"node_metadatas":[{"path":[{"key":"NONE"}],"value":{"null_match":{}}}]}""", true)]
    [InlineData("""{"node_metadatas":[{"path":[{"key":"IPS"}],"value":{"list_match":{"one_of":{"string_match":{"exact":"::1"}}}}}]}""", true)]
    [InlineData("""{"node_metadatas":[{"path":[{"key":"NAMESPACE"}],"value":{"or_match":{"value_matchers":[{"bool_match":true},{"string_match":{"exact":"default"}}]}}}]}""", true)]
    [InlineData("""{"node_id":{"prefix":"sidecar~"},"node_metadatas":[{"path":[{"key":"NAMESPACE"}],"value":{"string_match":{"exact":"other"}}}]}""", false)]
    public void All_that_a_matcher_says_must_hold(string json, bool expected) => new NodeMatch(Parse(json)).IsMatch(Node).ShouldBe(expected);

    [Fact]
    public void One_of_several_matchers_is_enough()
        => new NodeMatch([.. Parse("""{"node_id":{"exact":"other"}}"""), .. Parse("""{"node_id":{"prefix":"sidecar~"}}""")]).IsMatch(Node).ShouldBeTrue();

    [Theory]
    [InlineData("""{"node_id":{"safe_regex":{"regex":"("}}}""", "node_matchers[0].node_id.safe_regex.regex")]
    [InlineData("""{"node_id":{}}""", "node_matchers[0].node_id")]
    [InlineData("""{"node_metadatas":[{"path":[{"key":"A"}]}]}""", "node_matchers[0].node_metadatas[0].value")]
    [InlineData("""{"node_metadatas":[{"value":{"bool_match":true}}]}""", "node_matchers[0].node_metadatas[0].path")]
    [InlineData("""{"node_metadatas":[{"path":[{"key":"A"}],"value":{"or_match":{}}}]}""", "node_matchers[0].node_metadatas[0].value")]
    public void What_cannot_be_matched_by_is_refused_with_its_path(string json, string path)
    {
        var refused = Should.Throw<RpcException>(() => new NodeMatch(Parse(json)));
        refused.StatusCode.ShouldBe(StatusCode.InvalidArgument);
        refused.Detail.ShouldStartWith(path + ":");
    }

    [Fact]
    public void Nobody_makes_it_descend_for_ever()
    {
        var value = new ValueMatcher { BoolMatch = true };
        for (var i = 0; i < 50; i++)
        {
            value = new ValueMatcher { ListMatch = new ListMatcher { OneOf = value } };
        }

        Should.Throw<RpcException>(() => new NodeMatch([new NodeMatcher { NodeMetadatas = { new StructMatcher { Path = { new StructMatcher.Types.PathSegment { Key = "A" } }, Value = value } } }]));
        Should.Throw<RpcException>(() => new NodeMatch([.. Enumerable.Repeat(new NodeMatcher(), 65)]));
    }

    private static NodeMatcher[] Parse(string json) => json.Length == 0 ? [] : [JsonParser.Default.Parse<NodeMatcher>(json)];
}
