using System.Net;
using System.Threading.Channels;
using Envoy.Config.Core.V3;
using Envoy.Service.LoadStats.V3;
using Mesh.Xds.Ads;
using Mesh.Xds.Certificates;
using Mesh.Xds.Grpc;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Tests.Load;

/// <summary>A client that reports its load, in the hands of the test. What it has sent has been read once the server asks for more.</summary>
internal sealed class LoadPeer : IAsyncDisposable
{
    private readonly Channel<LoadStatsRequest> _requests = Channel.CreateBounded<LoadStatsRequest>(8);
    private readonly Channel<LoadStatsResponse> _responses = Channel.CreateUnbounded<LoadStatsResponse>();
    private readonly SemaphoreSlim _asked = new(0);
    private readonly CancellationTokenSource _gone = new();

    public LoadPeer(ILoadReportServer server, CallerCredentials? caller = null)
    {
        var connection = new AdsConnectionInfo(0, caller?.Remote ?? new IPEndPoint(IPAddress.Loopback, 4000), IsInProcess: false) { Caller = caller ?? CallerCredentials.None };
        Serving = server.ServeAsync(new ServerEnd(this), connection, _gone.Token);
    }

    public Task Serving { get; }

    /// <summary>What the server has asked for; completes when it has.</summary>
    public Task<LoadStatsResponse> ResponseAsync() => _responses.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>Begins a stream; completes when the server is ready for reports.</summary>
    public async Task<LoadStatsResponse> BeginAsync(Node node)
    {
        await SendAsync(new LoadStatsRequest { Node = node });
        return await ResponseAsync();
    }

    /// <summary>Completes when the report has been taken.</summary>
    public async Task SendAsync(LoadStatsRequest request)
    {
        await _asked.WaitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        await _requests.Writer.WriteAsync(request);
        if (request.Node is null)
        {
            await _asked.WaitAsync().WaitAsync(TimeSpan.FromSeconds(30));
            _asked.Release();
        }
    }

    public async Task EndAsync()
    {
        _requests.Writer.Complete();
        await Serving.WaitAsync(TimeSpan.FromSeconds(30));
    }

    public async ValueTask DisposeAsync()
    {
        await _gone.CancelAsync();
        await Serving.ContinueWith(_ => { }, TaskScheduler.Default);
    }

    private sealed class ServerEnd(LoadPeer peer) : IAdsCall<LoadStatsResponse, LoadStatsRequest>
    {
        public ValueTask WriteAsync(LoadStatsResponse message, CancellationToken cancellationToken) => peer._responses.Writer.WriteAsync(message, cancellationToken);

        public async ValueTask<LoadStatsRequest?> ReadAsync(CancellationToken cancellationToken)
        {
            peer._asked.Release();
            try
            {
                return await peer._requests.Reader.ReadAsync(cancellationToken);
            }
            catch (ChannelClosedException)
            {
                return null;
            }
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
