using Envoy.Service.Discovery.V3;
using Envoy.Service.LoadStats.V3;
using Mesh.Xds.Grpc;

namespace Mesh.Xds.Ads;

/// <summary>A way to an ADS server over gRPC. One connection at a time, made when the first stream is opened.</summary>
internal sealed class GrpcAdsTransport : IAdsTransport
{
    /// <summary>Below this a grpc-go server with default enforcement answers pings with GOAWAY <c>too_many_pings</c> (gRFC A8).</summary>
    public static readonly TimeSpan ForeignKeepAliveInterval = TimeSpan.FromMinutes(5);

    /// <summary>Between pings to Mesh's own control plane, which allows them.</summary>
    public static readonly TimeSpan OwnKeepAliveInterval = TimeSpan.FromSeconds(30);

    private readonly GrpcMethod<DiscoveryRequest, DiscoveryResponse> _stream;
    private readonly GrpcMethod<DeltaDiscoveryRequest, DeltaDiscoveryResponse> _deltaStream;
    private readonly Lock _gate = new();
    private readonly GrpcTarget _target;
    private GrpcChannelOptions _options;
    private GrpcChannel? _channel;
    private bool _tooManyPings;
    private bool _disposed;

    /// <param name="target">The server, in any spelling that <see cref="GrpcTarget.Parse"/> takes.</param>
    /// <param name="options">The channel's settings; without a keepalive interval <see cref="ForeignKeepAliveInterval"/> is used.</param>
    /// <param name="methods">The service that is called; the aggregated one where none is said.</param>
    /// <exception cref="FormatException">The target cannot be used.</exception>
    public GrpcAdsTransport(string target, GrpcChannelOptions options, DiscoveryMethods? methods = null)
    {
        methods ??= DiscoveryMethods.Aggregated;
        _stream = new(methods.Stream, DiscoveryResponse.Parser);
        _deltaStream = new(methods.Delta, DeltaDiscoveryResponse.Parser);
        _target = GrpcTarget.Parse(target);
        _options = options with { KeepAliveInterval = options.KeepAliveInterval ?? ForeignKeepAliveInterval };
    }

    public string Target => _target.Text;

    /// <summary>The time between pings on the next connection.</summary>
    internal TimeSpan KeepAliveInterval
    {
        get
        {
            lock (_gate)
            {
                return _tooManyPings ? _options.KeepAliveInterval!.Value * 2 : _options.KeepAliveInterval!.Value;
            }
        }
    }

    public async ValueTask<IAdsCall<DiscoveryRequest, DiscoveryResponse>> OpenStreamAsync(CancellationToken cancellationToken)
        => new GrpcAdsCall<DiscoveryRequest, DiscoveryResponse>(await Channel().OpenDuplexAsync(_stream, GrpcCallOptions.Default, cancellationToken));

    public async ValueTask<IAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse>> OpenDeltaStreamAsync(CancellationToken cancellationToken)
        => new GrpcAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse>(await Channel().OpenDuplexAsync(_deltaStream, GrpcCallOptions.Default, cancellationToken));

    public async ValueTask<IAdsCall<LoadStatsRequest, LoadStatsResponse>> OpenLoadStreamAsync(CancellationToken cancellationToken)
        => new GrpcAdsCall<LoadStatsRequest, LoadStatsResponse>(await Channel().OpenDuplexAsync(LoadReportingMethods.StreamMethod, GrpcCallOptions.Default, cancellationToken));

    public ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _disposed = true;
            _channel?.Dispose();
            _channel = null;
        }

        return ValueTask.CompletedTask;
    }

    private GrpcChannel Channel()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_tooManyPings)
            {
                // The interval is fixed per handler, so the next connection needs another one (gRFC A8: double it).
                _tooManyPings = false;
                _options = _options with { KeepAliveInterval = _options.KeepAliveInterval * 2 };
                _channel?.Dispose();
                _channel = null;
            }

            if (_channel is null)
            {
                _channel = new GrpcChannel(_target, _options);
                _channel.TooManyPings += OnTooManyPings;
            }

            return _channel;
        }
    }

    private void OnTooManyPings()
    {
        lock (_gate)
        {
            _tooManyPings = true;
        }
    }
}
