using Envoy.Service.Discovery.V3;
using Mesh.Xds.Ads;
using Mesh.Xds.Certificates;
using Mesh.Xds.Serving;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>Writes down what passes the real server.</summary>
internal sealed class RecordingAdsServer(IAdsServer server, RecordedRequests recorded) : IAdsServer
{
    public IReadOnlyList<AdsConnectionStatus> Connections => server.Connections;

    public IReadOnlyList<AdsResourceStatus> ResourcesOf(long connection) => server.ResourcesOf(connection);

    public Task ServeAsync(IAdsCall<DiscoveryResponse, DiscoveryRequest> call, CallerCredentials caller, CancellationToken cancellationToken)
        => server.ServeAsync(call, caller, cancellationToken);

    public Task ServeDeltaAsync(IAdsCall<DeltaDiscoveryResponse, DeltaDiscoveryRequest> call, CallerCredentials caller, CancellationToken cancellationToken)
        => RecordAsync(server.ServeDeltaAsync(new Call(call, recorded.Open(call.DisposeAsync), recorded), caller, cancellationToken));

    public long Push(AdsChange change) => server.Push(change);

    public Task WhenAcknowledgedAsync(long epoch, CancellationToken cancellationToken) => server.WhenAcknowledgedAsync(epoch, cancellationToken);

    private async Task RecordAsync(Task serving)
    {
        try
        {
            await serving;
        }
        finally
        {
            recorded.Record();
        }
    }

    private sealed class Call(IAdsCall<DeltaDiscoveryResponse, DeltaDiscoveryRequest> call, RecordedStream stream, RecordedRequests recorded)
        : IAdsCall<DeltaDiscoveryResponse, DeltaDiscoveryRequest>
    {
        private bool _hasRead;

        public async ValueTask WriteAsync(DeltaDiscoveryResponse message, CancellationToken cancellationToken)
        {
            stream.Responses.Enqueue(message);
            recorded.Record();
            await call.WriteAsync(message, cancellationToken);
        }

        public async ValueTask<DeltaDiscoveryRequest?> ReadAsync(CancellationToken cancellationToken)
        {
            // The server asks for the next request when it has acted on the one before.
            if (_hasRead)
            {
                stream.Handled++;
                recorded.Record();
            }

            var request = await call.ReadAsync(cancellationToken);
            _hasRead = true;
            if (request is not null)
            {
                stream.Requests.Enqueue(request);
                recorded.Record();
            }

            return request;
        }

        public ValueTask DisposeAsync() => call.DisposeAsync();
    }
}
