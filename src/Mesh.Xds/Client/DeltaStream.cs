using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Google.Rpc;
using Mesh.Xds.Ads;

namespace Mesh.Xds.Client;

/// <summary>A stream in the incremental variant.</summary>
/// <param name="channel">The server; only versions that came from it, or from its replicas, are told to it.</param>
/// <param name="transport">The way to the server.</param>
/// <param name="node">Who the client is.</param>
internal sealed class DeltaStream(XdsChannel channel, IAdsTransport transport, Node node) : AdsStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>(node)
{
    private readonly Dictionary<string, TypeState> _types = new(StringComparer.Ordinal);

    public override object? BuildRequest(ResourceTable table, AdsAck? ack)
    {
        var typeUrl = table.Type.TypeUrl;
        var request = new DeltaDiscoveryRequest { TypeUrl = typeUrl };
        var first = !_types.TryGetValue(typeUrl, out var state);
        if (first)
        {
            if (!table.HasWatches)
            {
                return null;
            }

            _types.Add(typeUrl, state = new TypeState());
            foreach (var entry in table.Entries)
            {
                if (entry.Resource is not null && (channel.AreReplicas || entry.Source == channel) && (table.IsWildcard || entry.Watches.Count > 0))
                {
                    request.InitialResourceVersions.Add(entry.Name, entry.Version);
                }
            }
        }

        AddChanges(request, table, state!, first);
        if (ack is not null)
        {
            request.ResponseNonce = ack.Nonce;
            if (ack.Error is not null)
            {
                request.ErrorDetail = new Status { Code = NackCode, Message = ack.Error };
            }
        }
        else if (!first && request.ResourceNamesSubscribe.Count + request.ResourceNamesUnsubscribe.Count == 0)
        {
            return null;
        }

        request.Node = TakeNode();
        return request;
    }

    public override object BuildHealthReport(bool healthy, string message)
    {
        var request = new DeltaDiscoveryRequest { TypeUrl = TypeUrls.HealthInformation, Node = TakeNode() };
        if (!healthy)
        {
            request.ErrorDetail = new Status { Code = HealthErrorCode, Message = message };
        }

        return request;
    }

    protected override ValueTask<IAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse>> OpenCallAsync(CancellationToken cancellationToken)
        => transport.OpenDeltaStreamAsync(cancellationToken);

    protected override AdsUpdate Read(DeltaDiscoveryResponse response)
        => new(
            response.TypeUrl,
            response.SystemVersionInfo,
            response.Nonce,
            [.. response.Resources.Select(Unwrap)],
            [.. response.RemovedResources, .. response.RemovedResourceNames.Select(n => n.Name)],
            [.. response.ResourceErrors.Select(e => (e.ResourceName?.Name ?? "", e.ErrorDetail ?? new Status()))],
            IsStateOfTheWorld: false)
        {
            ControlPlane = response.ControlPlane?.Identifier ?? "",
        };

    private static AdsUpdateResource Unwrap(Resource resource)
    {
        var name = resource.Name.Length > 0 ? resource.Name : resource.ResourceName?.Name ?? "";
        try
        {
            return new(name, resource.Version, resource.Resource_, resource.Ttl?.ToTimeSpan());
        }
        catch (Exception e) when (e is InvalidOperationException or OverflowException)
        {
            return new(name, resource.Version, null, null, $"ttl: {e.Message}");
        }
    }

    private static void AddChanges(DeltaDiscoveryRequest request, ResourceTable table, TypeState state, bool first)
    {
        if (state.SubscriptionVersion == table.SubscriptionVersion)
        {
            return;
        }

        state.SubscriptionVersion = table.SubscriptionVersion;
        var wanted = table.SubscribedNames.ToHashSet(StringComparer.Ordinal);
        request.ResourceNamesSubscribe.AddRange(wanted.Where(name => !state.Subscribed.Contains(name)));
        request.ResourceNamesUnsubscribe.AddRange(state.Subscribed.Where(name => !wanted.Contains(name)));
        if (table.IsWildcard && !state.Wildcard && !(first && wanted.Count == 0))
        {
            request.ResourceNamesSubscribe.Insert(0, ResourceTable.Wildcard);
        }
        else if (!table.IsWildcard && state.Wildcard)
        {
            request.ResourceNamesUnsubscribe.Insert(0, ResourceTable.Wildcard);
        }

        // A first request without any name is the wildcard that servers of every age understand.
        state.Wildcard = table.IsWildcard;
        state.Subscribed = wanted;
    }

    private sealed class TypeState
    {
        public long SubscriptionVersion { get; set; } = -1;

        public HashSet<string> Subscribed { get; set; } = [];

        public bool Wildcard { get; set; }
    }
}
