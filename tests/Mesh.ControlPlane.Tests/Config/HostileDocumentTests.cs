using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Mesh.ControlPlane.Analysis;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Model;
using Mesh.DataPlane.Resources;
using Mesh.Hostile;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Tests.Reading;

/// <summary>Documents that say what nobody should: they are refused with all that their author needs, or what comes of them is good.</summary>
public class HostileDocumentTests
{
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default);

    private static readonly ConfigReader Reader = new(ConfigReaderOptions.Default, TimeProvider.System);

    private static readonly ResourceType[] Types = [ListenerType.Instance, RouteConfigurationType.Instance, ClusterType.Instance, EndpointsType.Instance];

    private static readonly string[] Inbound = ["xds.istio.io/grpc/lds/inbound/0.0.0.0:8080", "xds.istio.io/grpc/lds/inbound/[::]:8081", "xds.istio.io/grpc/lds/inbound/0.0.0.0:9090"];

    // What comes of the documents that are left as they are is the same each time.
    private static readonly HashSet<(string TypeUrl, ByteString Body)> Decoded = [];

    private static int Rounds { get; } = int.Parse(Environment.GetEnvironmentVariable("HOSTILE_ROUNDS") ?? "1000");

    private static int Seed { get; } = int.Parse(Environment.GetEnvironmentVariable("HOSTILE_SEED") ?? "20261121");

    [Fact]
    public void The_mesh_to_break_is_a_good_one()
    {
        var text = Reader.Read(HostileYaml.Good, "mesh.yaml");
        text.Diagnostics.Where(d => d.Severity == ConfigSeverity.Error).Select(d => d.ToString()).ShouldBeEmpty();
        ShouldWork([.. text.Resources]);
    }

    [Fact]
    public void Whatever_a_field_says_is_refused_in_words_or_works()
    {
        var good = Reader.Read(HostileYaml.Good, "mesh.yaml").Resources.ToArray();
        var random = new Random(Seed);
        var mutator = new MessageMutator(random);
        var failures = new Dictionary<string, string>();
        var accepted = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var at = random.Next(good.Length);
            var spec = good[at].Spec.Descriptor.Parser.ParseFrom(good[at].Spec.ToByteString());
            mutator.Mutate(spec, random.Next(1, 4));
            string yaml;
            try
            {
                yaml = Formatter.Format(spec);
            }
            catch (Exception e) when (e is InvalidOperationException or ArgumentException)
            {
                continue; // What JSON cannot say, no file can.
            }

            Check(good, at, yaml, string.Join("; ", mutator.Done), failures, ref accepted);
        }

        Assert.True(failures.Count == 0, string.Join("\n\n", failures.Values));
        accepted.ShouldBeGreaterThan(Rounds / 20);
    }

    [Fact]
    public void Whatever_stands_in_the_place_of_a_value_is_refused_in_words_or_works()
    {
        var good = Reader.Read(HostileYaml.Good, "mesh.yaml").Resources.ToArray();
        var random = new Random(Seed);
        string[] junk = ["null", "[]", "{}", "[null]", "\"\"", "0", "-1", "1e400", ".inf", "true", "\"x\"", "[[]]", "{a: 1}", "{\"\": 1}", "\"\\u0000\"", "\"\\r\\n\"", "2024-01-01", "0x1F", "1_000", "~", "- a"];
        var failures = new Dictionary<string, string>();
        var accepted = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var at = random.Next(good.Length);
            var root = JsonNode.Parse(Formatter.Format(good[at].Spec))!;
            var marks = new Dictionary<string, string>();
            for (var edits = random.Next(1, 4); edits > 0; edits--)
            {
                var nodes = Nodes(root).Where(n => n.Parent is not null).ToArray();
                if (nodes.Length == 0)
                {
                    break;
                }

                var mark = $"@@{marks.Count}@@";
                marks.Add(mark, junk[random.Next(junk.Length)]);
                nodes[random.Next(nodes.Length)].ReplaceWith(JsonValue.Create(mark));
            }

            var yaml = marks.Aggregate(root.ToJsonString(), (text, mark) => text.Replace($"\"{mark.Key}\"", mark.Value));
            Check(good, at, yaml, yaml, failures, ref accepted);
        }

        Assert.True(failures.Count == 0, string.Join("\n\n", failures.Values));
    }

    private static IEnumerable<JsonNode> Nodes(JsonNode node)
        => node switch
        {
            JsonObject o => o.Where(p => p.Value is not null).SelectMany(p => Nodes(p.Value!)).Prepend(node),
            JsonArray a => a.OfType<JsonNode>().SelectMany(Nodes).Prepend(node),
            _ => [node],
        };

    private static void Check(ConfigResource[] good, int at, string spec, string done, Dictionary<string, string> failures, ref int accepted)
    {
        var api = good[at].Kind.Group.Length > 0 ? $"{good[at].Kind.Group}/{good[at].Kind.Versions[0]}" : "v1";
        var yaml = $"apiVersion: {api}\nkind: {good[at].Kind.Kind}\nmetadata: {{name: {good[at].Name}, namespace: {good[at].Namespace}}}\nspec: {spec}\n";
        try
        {
            var text = Reader.Read(yaml, "mesh.yaml");
            foreach (var diagnostic in text.Diagnostics)
            {
                ShouldTell(diagnostic);
            }

            if (text.Resources.SingleOrDefault() is not { } resource)
            {
                text.Diagnostics.ShouldContain(d => d.Severity == ConfigSeverity.Error);
                return;
            }

            accepted++;
            ShouldWork([.. good[..at], resource, .. good[(at + 1)..]]);
        }
        catch (Exception e)
        {
            var key = e.GetType().Name + (e is ResourceRejectedException r ? System.Text.RegularExpressions.Regex.Replace(r.Field + r.Reason, "[0-9]+|'[^']*'", "#") : e.StackTrace?.Split('\n').FirstOrDefault(l => l.Contains("Mesh."))) + (e is ShouldAssertException ? e.Message : "");
            if (failures.Count < 40)
            {
                failures.TryAdd(key, $"{done}\n  {e.GetType().Name}: {e.Message}\n  {e.StackTrace?.Split('\n').FirstOrDefault(l => l.Contains("Mesh."))}");
            }
        }
    }

    private static void ShouldTell(ConfigDiagnostic diagnostic)
    {
        diagnostic.File.ShouldNotBeNullOrEmpty();
        diagnostic.Line.ShouldBeGreaterThan(0);
        diagnostic.Message.Length.ShouldBeInRange(10, 2_000, diagnostic.ToString()[..Math.Min(300, diagnostic.ToString().Length)]);
        diagnostic.ToString().Any(c => char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029').ShouldBeFalse(diagnostic.ToString());
        diagnostic.Message.Replace("...", "").ShouldNotContain("..", Case.Sensitive, diagnostic.ToString());
        diagnostic.Message.ShouldNotContain("System.", Case.Sensitive);
    }

    private static void ShouldWork(ConfigResource[] documents)
    {
        var builder = new MeshModelBuilder("cluster.local");
        var diagnostics = new ModelDiagnostics();
        var snapshot = new ConfigSnapshot(1, documents);
        builder.Update(
            snapshot,
            new Dictionary<string, WorkloadInstance?>
            {
                ["r1"] = TestMesh.Workload("r1", "app=reviews,version=v1", "http=10.2.0.1:8080", locality: "eu/a"),
                ["r2"] = TestMesh.Workload("r2", "app=reviews,version=v2", "http=10.2.0.2:8080", locality: "us/a"),
                ["s1"] = TestMesh.Workload("s1", "app=ratings,version=v1", "http=10.2.0.3:8080"),
            },
            diagnostics);
        ModelAnalyzer.Analyze(snapshot, builder.Model.Config, diagnostics);
        foreach (var diagnostic in diagnostics.Found)
        {
            ShouldTell(diagnostic);
        }

        var cache = new ResourceCache();
        foreach (var proxy in new[] { TestMesh.Mesh, TestMesh.Grpc, TestMesh.At("eu/a/1", "app=web"), TestMesh.At("eu/a/1", "app=reviews") })
        {
            var listeners = cache.Get(builder.Model, proxy, TypeUrls.Listener, true, ["reviews:9080", "api.example.com:80", "x.wild.example.com:80", "vm.example.com:80", "dns.example.com:80", .. Inbound]);
            var clusters = cache.Get(builder.Model, proxy, TypeUrls.Cluster, true, ["outbound|443||a"]);
            var routes = cache.Get(builder.Model, proxy, TypeUrls.RouteConfiguration, false, [.. clusters.Select(c => c.Name)]);
            var endpoints = cache.Get(builder.Model, proxy, TypeUrls.ClusterLoadAssignment, false, [.. clusters.Select(c => c.Name)]);
            foreach (var resource in (AdsResource[])[.. listeners, .. clusters, .. routes, .. endpoints])
            {
                var type = Types.Single(t => resource.Body.TypeUrl.EndsWith(t.TypeUrl.Split('/')[^1]));
                if (type is ClusterType && Envoy.Config.Cluster.V3.Cluster.Parser.ParseFrom(resource.Body.Value).LbPolicy == Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy.ClusterProvided)
                {
                    continue;
                }

                if (type is ListenerType && ReferenceEquals(proxy, TestMesh.Grpc))
                {
                    continue;
                }

                if (!Decoded.Contains((resource.Body.TypeUrl, resource.Body.Value)))
                {
                    type.Decode(resource.Body.Value, out _);
                    Decoded.Add((resource.Body.TypeUrl, resource.Body.Value));
                }
            }
        }
    }
}
