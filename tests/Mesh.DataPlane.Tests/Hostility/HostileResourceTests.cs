using System.Net;
using System.Text.RegularExpressions;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Transports;
using Mesh.Hostile;
using Mesh.Testing;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tests.Hostility;

/// <summary>
/// Resources with anything in any field: they are refused by the path of the field, or requests through them are answered, and nothing leaves that
/// could be read as two requests.
/// </summary>
public class HostileResourceTests
{
    private static readonly MessageDescriptor[] Extensions =
    [
        Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Descriptor,
        Envoy.Extensions.Filters.Http.Router.V3.Router.Descriptor,
        Envoy.Extensions.Filters.Http.Fault.V3.HTTPFault.Descriptor,
        Envoy.Extensions.Filters.Http.Cors.V3.Cors.Descriptor,
        Envoy.Extensions.Filters.Http.Cors.V3.CorsPolicy.Descriptor,
        Envoy.Extensions.Filters.Http.Buffer.V3.Buffer.Descriptor,
        Envoy.Extensions.Filters.Http.Buffer.V3.BufferPerRoute.Descriptor,
        Envoy.Extensions.Filters.Http.HeaderMutation.V3.HeaderMutation.Descriptor,
        Envoy.Extensions.Filters.Http.HeaderMutation.V3.HeaderMutationPerRoute.Descriptor,
        Envoy.Extensions.Filters.Http.LocalRatelimit.V3.LocalRateLimit.Descriptor,
        Envoy.Extensions.Filters.Http.StatefulSession.V3.StatefulSession.Descriptor,
        Envoy.Extensions.Filters.Http.StatefulSession.V3.StatefulSessionPerRoute.Descriptor,
        Envoy.Extensions.Http.StatefulSession.Cookie.V3.CookieBasedSessionState.Descriptor,
        Envoy.Extensions.Http.StatefulSession.Header.V3.HeaderBasedSessionState.Descriptor,
        Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions.Descriptor,
        Envoy.Extensions.Clusters.Dns.V3.DnsCluster.Descriptor,
        Envoy.Extensions.LoadBalancingPolicies.RoundRobin.V3.RoundRobin.Descriptor,
        Envoy.Extensions.LoadBalancingPolicies.LeastRequest.V3.LeastRequest.Descriptor,
        Envoy.Extensions.LoadBalancingPolicies.Random.V3.Random.Descriptor,
        Envoy.Extensions.LoadBalancingPolicies.RingHash.V3.RingHash.Descriptor,
        Envoy.Extensions.LoadBalancingPolicies.Maglev.V3.Maglev.Descriptor,
        Envoy.Extensions.LoadBalancingPolicies.PickFirst.V3.PickFirst.Descriptor,
        Envoy.Extensions.LoadBalancingPolicies.WrrLocality.V3.WrrLocality.Descriptor,
        Envoy.Extensions.LoadBalancingPolicies.OverrideHost.V3.OverrideHost.Descriptor,
        Envoy.Extensions.LoadBalancingPolicies.ClientSideWeightedRoundRobin.V3.ClientSideWeightedRoundRobin.Descriptor,
        Envoy.Extensions.Retry.Host.PreviousHosts.V3.PreviousHostsPredicate.Descriptor,
        Envoy.Extensions.Retry.Priority.PreviousPriorities.V3.PreviousPrioritiesConfig.Descriptor,
    ];

    private static readonly JsonParser Json = new(JsonParser.Settings.Default.WithTypeRegistry(TypeRegistry.FromMessages(Extensions)));

    private static int Rounds { get; } = int.Parse(Environment.GetEnvironmentVariable("HOSTILE_ROUNDS") ?? "200");

    private static int Seed { get; } = int.Parse(Environment.GetEnvironmentVariable("HOSTILE_SEED") ?? "20261121");

    [Fact]
    public async Task The_resources_to_break_are_good_ones()
    {
        foreach (var (type, messages) in Good)
        {
            foreach (var message in messages)
            {
                type.Decode(message.ToByteString(), out _);
                (await SendAsync(type, message, TimeSpan.FromSeconds(30))).ShouldNotBeEmpty(type.ShortName);
            }
        }
    }

    [Fact]
    public Task Listeners() => BreakAsync(ListenerType.Instance);

    [Fact]
    public Task Routes() => BreakAsync(RouteConfigurationType.Instance);

    [Fact]
    public Task Clusters() => BreakAsync(ClusterType.Instance);

    [Fact]
    public Task Endpoints() => BreakAsync(EndpointsType.Instance);

    private static async Task BreakAsync(ResourceType type)
    {
        var random = new Random(Seed);
        var mutator = new MessageMutator(random, Extensions);
        var failures = new Dictionary<string, string>();
        var accepted = 0;
        var good = Good.Single(g => g.Type == type).Messages;
        for (var round = 0; round < Rounds; round++)
        {
            var original = good[random.Next(good.Length)];
            var message = original.Descriptor.Parser.ParseFrom(original.ToByteString());
            mutator.Mutate(message, random.Next(1, 4));
            var done = string.Join("; ", mutator.Done);
            try
            {
                type.Decode(message.ToByteString(), out _);
                accepted++;
                await SendAsync(type, message, TimeSpan.FromMilliseconds(200));
            }
            catch (ResourceRejectedException e)
            {
                if (e.Field.Length == 0 || e.Message.Any(char.IsControl) || e.Message.Length > 4_000)
                {
                    failures.TryAdd("text" + e.Field[..Math.Min(40, e.Field.Length)], $"{done}\n  {e.Message[..Math.Min(500, e.Message.Length)]}");
                }
            }
            catch (Exception e)
            {
                var place = string.Join("\n    ", (e.StackTrace ?? "").Split('\n').Where(l => l.Contains("Mesh.")).Take(4));
                failures.TryAdd(e.GetType().Name + Regex.Replace(place.Split('\n')[0], @"\d+$", ""), $"{done}\n  {e.GetType().Name}: {e.Message[..Math.Min(300, e.Message.Length)]} {e.InnerException?.ToString()}\n    {place}");
            }

            if (failures.Count > 25)
            {
                break;
            }
        }

        Assert.True(failures.Count == 0, string.Join("\n\n", failures.Values));
        accepted.ShouldBeGreaterThan(Rounds / 20);
    }

    /// <summary>Puts the message in the place of its kind among good ones, and sends a few requests; what may take days ends with <paramref name="wait"/>.</summary>
    private static async Task<List<HttpStatusCode>> SendAsync(ResourceType type, IMessage message, TimeSpan wait)
    {
        var xds = new ScriptedXdsClient();
        var sent = new RecordingTransports();
        await using var engine = new MeshEngine(
            xds, new MeshOptions(), sent, new SeededRandomSource(1), TimeProvider.System, null, null, new HttpFilters(FilterTypes.BuiltIn, new FilterServices(TimeProvider.System, new SeededRandomSource(2))), new OneName());
        foreach (var (other, messages) in Good)
        {
            var used = other == type ? Named(message, messages[0]) : messages[0];
            switch (other)
            {
                case ResourceType<ListenerResource> listeners:
                    xds.Set(listeners, used);
                    break;
                case ResourceType<RouteConfigurationResource> routes:
                    xds.Set(routes, used);
                    break;
                case ResourceType<ClusterResource> clusters:
                    xds.Set(clusters, used);
                    break;
                case ResourceType<EndpointsResource> endpoints:
                    xds.Set(endpoints, used);
                    break;
            }
        }

        var answers = new List<HttpStatusCode>();
        var resolving = engine.Hosts.ResolveAsync("reviews", 9080, CancellationToken.None).AsTask();

        // What nobody has is an answer as well.
        var known = new HashSet<string>(["reviews:9080", "reviews", "c", "e"]);
        foreach (var (typeUrl, name) in xds.Watched.Where(w => !known.Contains(w.Name)))
        {
            xds.Remove(Good.Single(g => g.Type.TypeUrl == typeUrl).Type, name);
        }

        using var patience = new CancellationTokenSource(wait);
        if (await Task.WhenAny(resolving, Task.Delay(Timeout.Infinite, patience.Token)) != resolving)
        {
            return []; // Checks that wait for days, say.
        }

        var entry = await resolving;
        foreach (var request in Requests())
        {
            try
            {
                using var response = await engine.Upstream.SendAsync(entry!, request, patience.Token).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
                foreach (var header in response.Headers.NonValidated)
                {
                    header.Value.ToString().ShouldNotContain('\n');
                    header.Value.ToString().ShouldNotContain('\r');
                    header.Value.ToString().ShouldNotContain('\0');
                }

                await response.Content.ReadAsByteArrayAsync(patience.Token);
                answers.Add(response.StatusCode);
            }
            catch (Exception) when (patience.IsCancellationRequested)
            {
                break;
            }
        }

        sent.Problems.ShouldBeEmpty();
        return answers;
    }

    // The name is how the others find it.
    private static IMessage Named(IMessage message, IMessage like)
    {
        var copy = message.Descriptor.Parser.ParseFrom(message.ToByteString());
        var field = copy.Descriptor.FindFieldByName(copy is ClusterLoadAssignment ? "cluster_name" : "name");
        field.Accessor.SetValue(copy, field.Accessor.GetValue(like));
        return copy;
    }

    private static IEnumerable<HttpRequestMessage> Requests()
    {
        var uri = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        foreach (var target in new[] { "/", "/api/x?q=z", "/a/b%0d%0aevil:1?q=%0a", "//evil/x", "/x1/y?q=a b" })
        {
            var request = new HttpRequestMessage(target.Length == 1 ? HttpMethod.Get : HttpMethod.Post, new Uri("http://reviews:9080" + target, uri));
            if (target.Length > 5)
            {
                request.Content = new StringContent("body");
            }

            request.Headers.TryAddWithoutValidation("x-a", "b");
            request.Headers.TryAddWithoutValidation("x-user", "jason");
            request.Headers.TryAddWithoutValidation("cookie", "user=1; session=\"x\"");
            request.Headers.TryAddWithoutValidation("origin", "http://a");
            yield return request;
        }
    }

    private static (ResourceType Type, IMessage[] Messages)[] Good { get; } =
    [
        (ListenerType.Instance, [.. HostileResources.Listeners.Select(j => Json.Parse<Listener>(j))]),
        (RouteConfigurationType.Instance, [.. HostileResources.Routes.Select(j => Json.Parse<RouteConfiguration>(j))]),
        (ClusterType.Instance, [.. HostileResources.Clusters.Select(j => Json.Parse<Envoy.Config.Cluster.V3.Cluster>(j))]),
        (EndpointsType.Instance, [.. HostileResources.Endpoints.Select(j => Json.Parse<ClusterLoadAssignment>(j))]),
    ];

    private sealed class OneName : IDnsResolver
    {
        public ValueTask<DnsResolution> ResolveAsync(DnsQuery query, CancellationToken cancellationToken) => ValueTask.FromResult(DnsResolution.Of([IPAddress.Parse("10.0.0.1")]));
    }

    /// <summary>Looks at what would go over the wire.</summary>
    private sealed class RecordingTransports : IEndpointTransportFactory
    {
        private readonly SocketTransportFactory _sockets = new(TimeProvider.System);

        public List<string> Problems { get; } = [];

        public IEndpointTransport Create(Mesh.DataPlane.Clusters.Cluster cluster, EndpointResource endpoint, TransportSettings settings)
        {
            // Its settings are those of a real one.
            _sockets.Create(cluster, endpoint, settings).Dispose();
            return new Transport(this);
        }

        private sealed class Transport(RecordingTransports owner) : IEndpointTransport
        {
            public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            {
                var target = request.RequestUri!.PathAndQuery;
                Check("target", target, target.Any(c => c is <= ' ' or '\u007f') || target[0] != '/');
                Check("host", request.Headers.Host ?? "", request.Headers.Host?.Any(c => c is <= ' ' or '\u007f' or '/' or '@') == true);
                foreach (var header in request.Headers.NonValidated)
                {
                    Check(header.Key, header.Value.ToString(), header.Value.Any(v => v.Any(c => (c < ' ' && c != '\t') || c == '\u007f')) || header.Key.Any(c => c is <= ' ' or ':' or >= '\u007f'));
                    Check(header.Key, header.Value.ToString(), header.Key.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase));
                }

                if (request.Content is not null)
                {
                    Check("length", request.Content.Headers.ContentLength?.ToString() ?? "", request.Content.Headers.ContentLength is not (null or 4));
                    await request.Content.CopyToAsync(Stream.Null, cancellationToken);
                }

                var response = new HttpResponseMessage(target.Length % 2 == 0 ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable) { RequestMessage = request, Content = new StringContent("answer") };
                response.Headers.TryAddWithoutValidation("location", "http://reviews:9080/again");
                response.Headers.TryAddWithoutValidation("x-r", "r");
                return response;
            }

            public void Dispose()
            {
            }

            private void Check(string what, string text, bool isBad)
            {
                if (isBad)
                {
                    lock (owner.Problems)
                    {
                        owner.Problems.Add($"{what}: {text}");
                    }
                }
            }
        }
    }
}
