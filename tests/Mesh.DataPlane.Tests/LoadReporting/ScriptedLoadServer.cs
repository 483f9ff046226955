using System.Threading.Channels;
using Envoy.Service.LoadStats.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Ads;
using Mesh.Xds.Grpc;
using Mesh.Xds.Serving;

namespace Mesh.DataPlane.Tests.LoadReporting;

/// <summary>The server's end of load streams, in the hands of the test.</summary>
internal sealed class ScriptedLoadServer
{
    private readonly Channel<Stream> _opened = Channel.CreateUnbounded<Stream>();

    public ValueTask<IAdsCall<LoadStatsRequest, LoadStatsResponse>> OpenAsync(CancellationToken cancellationToken)
    {
        var stream = new Stream();
        _opened.Writer.TryWrite(stream);
        return ValueTask.FromResult<IAdsCall<LoadStatsRequest, LoadStatsResponse>>(stream.ClientEnd);
    }

    public Task<Stream> AcceptAsync() => _opened.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

    internal sealed class Stream
    {
        private readonly Channel<LoadStatsRequest> _requests = Channel.CreateUnbounded<LoadStatsRequest>();
        private readonly Channel<LoadStatsResponse> _responses = Channel.CreateUnbounded<LoadStatsResponse>();

        public Stream() => ClientEnd = new InProcessAdsCall<LoadStatsRequest, LoadStatsResponse>(_requests.Writer, _responses.Reader, () => _requests.Writer.TryComplete());

        public InProcessAdsCall<LoadStatsRequest, LoadStatsResponse> ClientEnd { get; }

        public Task<LoadStatsRequest> NextAsync() => _requests.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

        public bool IsQuiet => _requests.Reader.Count == 0;

        /// <summary>Completes when the client has let go.</summary>
        public Task EndedAsync() => _requests.Reader.Completion.WaitAsync(TimeSpan.FromSeconds(30));

        public void Ask(TimeSpan interval, bool byEndpoint = false, params string[] clusters) => _responses.Writer.TryWrite(new LoadStatsResponse
        {
            SendAllClusters = clusters.Length == 0,
            Clusters = { clusters },
            LoadReportingInterval = Duration.FromTimeSpan(interval),
            ReportEndpointGranularity = byEndpoint,
        });

        public void Fail(StatusCode status) => _responses.Writer.TryComplete(new RpcException(status, "scripted"));
    }
}
