using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Google.Rpc;
using Mesh.Xds.Ads;

namespace Mesh.Xds.Client;

/// <summary>A stream in the state-of-the-world variant.</summary>
/// <param name="transport">The way to the server.</param>
/// <param name="node">Who the client is.</param>
/// <param name="versions">The version accepted last of each kind; survives the stream, so that a server need not send again what is known.</param>
internal sealed class SotwStream(IAdsTransport transport, Node node, IReadOnlyDictionary<string, string> versions)
    : AdsStream<DiscoveryRequest, DiscoveryResponse>(node)
{
    private static readonly string WrapperTypeUrl = TypeUrls.Prefix + Resource.Descriptor.FullName;
    private readonly Dictionary<string, TypeState> _types = new(StringComparer.Ordinal);

    public override object? BuildRequest(ResourceTable table, AdsAck? ack)
    {
        var typeUrl = table.Type.TypeUrl;
        if (!_types.TryGetValue(typeUrl, out var state))
        {
            if (!table.HasWatches)
            {
                return null;
            }

            _types.Add(typeUrl, state = new TypeState());
        }

        state.Nonce = ack?.Nonce ?? state.Nonce;
        if (ack is null && state.SubscriptionVersion == table.SubscriptionVersion)
        {
            return null;
        }

        state.SubscriptionVersion = table.SubscriptionVersion;
        var request = new DiscoveryRequest
        {
            TypeUrl = typeUrl,
            VersionInfo = ack?.Version ?? versions.GetValueOrDefault(typeUrl, ""),
            ResponseNonce = state.Nonce,
        };
        request.ResourceNames.AddRange(table.SubscribedNames);
        if (table.IsWildcard && (state.EverNamed || request.ResourceNames.Count > 0))
        {
            request.ResourceNames.Insert(0, ResourceTable.Wildcard);
        }
        else if (!table.IsWildcard && request.ResourceNames.Count == 0 && !state.EverNamed && ack is null)
        {
            // An empty list still means "all" on this stream, and nothing else can be said: what comes is acknowledged and ignored.
            return null;
        }

        state.EverNamed |= request.ResourceNames.Count > 0;
        if (ack?.Error is { } error)
        {
            request.ErrorDetail = new Status { Code = NackCode, Message = error };
        }

        request.Node = TakeNode();
        return request;
    }

    public override object BuildHealthReport(bool healthy, string message)
    {
        var request = new DiscoveryRequest { TypeUrl = TypeUrls.HealthInformation, Node = TakeNode() };
        if (!healthy)
        {
            request.ErrorDetail = new Status { Code = HealthErrorCode, Message = message };
        }

        return request;
    }

    protected override ValueTask<IAdsCall<DiscoveryRequest, DiscoveryResponse>> OpenCallAsync(CancellationToken cancellationToken)
        => transport.OpenStreamAsync(cancellationToken);

    protected override AdsUpdate Read(DiscoveryResponse response)
        => new(
            response.TypeUrl,
            response.VersionInfo,
            response.Nonce,
            [.. response.Resources.Select(any => Unwrap(any, response.VersionInfo))],
            [],
            [.. response.ResourceErrors.Select(e => (e.ResourceName?.Name ?? "", e.ErrorDetail ?? new Status()))],
            IsStateOfTheWorld: true)
        {
            ControlPlane = response.ControlPlane?.Identifier ?? "",
        };

    /// <summary>A resource may come wrapped, to carry a time to live.</summary>
    private static AdsUpdateResource Unwrap(Google.Protobuf.WellKnownTypes.Any any, string version)
    {
        if (any.TypeUrl != WrapperTypeUrl)
        {
            return new("", version, any, null);
        }

        try
        {
            var wrapper = Resource.Parser.ParseFrom(any.Value);
            return new(wrapper.Name, version, wrapper.Resource_, wrapper.Ttl?.ToTimeSpan());
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidOperationException or OverflowException)
        {
            return new("", version, null, null, e.Message);
        }
    }

    private sealed class TypeState
    {
        public long SubscriptionVersion { get; set; } = -1;

        /// <summary>Whether a name was ever sent: from then on an empty list means "none" (xDS protocol, "Wildcard subscriptions").</summary>
        public bool EverNamed { get; set; }

        public string Nonce { get; set; } = "";
    }
}
