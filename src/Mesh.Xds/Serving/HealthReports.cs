using Microsoft.Extensions.Logging;

namespace Mesh.Xds.Serving;

/// <summary>The readiness reports of one stream. Only the newest counts: an older one that is still being worked on is given up.</summary>
internal sealed partial class HealthReports(ILogger logger, Action confirmed) : IDisposable
{
    /// <summary>Versions of a confirmation, so that the client knows which of its reports is meant.</summary>
    public const string Healthy = "healthy";
    public const string Unhealthy = "unhealthy";

    /// <summary>The backend failed: the server cannot tell what became of the report.</summary>
    public const string Unknown = "unknown";

    private readonly Lock _gate = new();
    private CancellationTokenSource? _current;
    private string? _confirmation;

    public void Receive(IAdsNodeView view, AdsConnectionInfo connection, bool healthy, string? message)
    {
        var source = new CancellationTokenSource();
        lock (_gate)
        {
            _current?.Cancel();
            _current = source;
            _confirmation = null;
        }

        _ = ConfirmAsync(view, connection, healthy, message, source);
    }

    /// <summary>The confirmation that is ready to be sent, once.</summary>
    public string? Take()
    {
        lock (_gate)
        {
            var confirmation = _confirmation;
            _confirmation = null;
            return confirmation;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _current?.Cancel();
            _current = null;
        }
    }

    private async Task ConfirmAsync(IAdsNodeView view, AdsConnectionInfo connection, bool healthy, string? message, CancellationTokenSource source)
    {
        string confirmation;
        try
        {
            await view.OnHealthAsync(healthy, message, source.Token).ConfigureAwait(false);
            confirmation = healthy ? Healthy : Unhealthy;
        }
        catch (OperationCanceledException) when (source.IsCancellationRequested)
        {
            return;
        }
        catch (Exception exception)
        {
            Log.HealthReportFailed(logger, connection.Id, exception);
            confirmation = Unknown;
        }

        lock (_gate)
        {
            if (_current != source)
            {
                return;
            }

            _confirmation = confirmation;
        }

        confirmed();
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "ADS stream {Connection}: the readiness report was not processed")]
        public static partial void HealthReportFailed(ILogger logger, long connection, Exception exception);
    }
}
