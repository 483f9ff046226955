using Envoy.Config.Core.V3;
using Envoy.Service.LoadStats.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.ControlPlane.Registry;
using Mesh.ControlPlane.Security;
using Mesh.Xds.Ads;
using Mesh.Xds.Grpc;
using Mesh.Xds.Serving;
using Microsoft.Extensions.Logging;

namespace Mesh.ControlPlane.Load;

/// <summary>Takes load reports from those who may have their configuration here, and asks each for everything.</summary>
internal sealed partial class LoadReportServer(
    LoadWindow window, MeshControlPlaneLoadOptions options, ILogger<LoadReportServer> logger, Gatekeeper? gatekeeper = null) : ILoadReportServer
{
    /// <summary>The serialized size of one report.</summary>
    private const int MaxReportBytes = 4 * 1024 * 1024;

    public async Task ServeAsync(IAdsCall<LoadStatsResponse, LoadStatsRequest> call, AdsConnectionInfo connection, CancellationToken cancellationToken)
    {
        if (!options.Enabled)
        {
            throw new RpcException(StatusCode.Unimplemented, "this control plane takes no load reports (Mesh:ControlPlane:Load:Enabled)");
        }

        // 1. Who it is, proven as for the configuration.
        if (await ReadAsync(call, cancellationToken).ConfigureAwait(false) is not { } first)
        {
            return;
        }

        if (first.Node is not { Id.Length: > 0 and <= MaxIdLength } node)
        {
            throw new RpcException(StatusCode.InvalidArgument, $"the first message of a stream must carry its node, with an id of at most {MaxIdLength} characters");
        }

        var caller = gatekeeper?.Admit(connection, node);
        using var expiry = gatekeeper?.ExpiryOf(caller);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, expiry?.Token ?? CancellationToken.None);
        var metadata = new NodeMetadata(node, caller?.Accounts.Single);
        var source = LoadSource.Of(node, metadata);

        // Two that only say the same name are two, unless they have proven to be of the same namespace.
        var reporting = window.Open($"{metadata.Namespace}/{node.Id}", source)
            ?? throw new RpcException(StatusCode.ResourceExhausted, $"{LoadWindow.MaxNodes} clients report already");
        Log.Opened(logger, node.Id);
        try
        {
            // 2. What is asked of it.
            await call.WriteAsync(
                new LoadStatsResponse
                {
                    SendAllClusters = true,
                    LoadReportingInterval = Duration.FromTimeSpan(options.Interval),
                    ReportEndpointGranularity = options.Endpoints,
                },
                ending.Token).ConfigureAwait(false);
            if (first.ClusterStats.Count > 0)
            {
                window.Add(reporting, first);
            }

            // 3. What it tells.
            while (await ReadAsync(call, ending.Token).ConfigureAwait(false) is { } report)
            {
                window.Add(reporting, report);
            }
        }
        catch (OperationCanceledException) when (expiry is { IsCancellationRequested: true } && !cancellationToken.IsCancellationRequested)
        {
            throw new RpcException(StatusCode.Unavailable, "what this stream was opened with has expired; open another");
        }
        finally
        {
            window.Close(reporting);
            Log.Closed(logger, node.Id);
        }
    }

    private const int MaxIdLength = 512;

    private static async ValueTask<LoadStatsRequest?> ReadAsync(IAdsCall<LoadStatsResponse, LoadStatsRequest> call, CancellationToken cancellationToken)
    {
        LoadStatsRequest? message;
        try
        {
            message = await call.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e) when (e.StatusCode is not StatusCode.ResourceExhausted)
        {
            // The client is gone.
            return null;
        }

        return message is not null && message.CalculateSize() > MaxReportBytes
            ? throw new RpcException(StatusCode.ResourceExhausted, $"a load report exceeds {MaxReportBytes} bytes")
            : message;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Debug, "Node '{Node}' reports its load")]
        public static partial void Opened(ILogger logger, string node);

        [LoggerMessage(2, LogLevel.Debug, "Node '{Node}' reports its load no longer")]
        public static partial void Closed(ILogger logger, string node);
    }
}
