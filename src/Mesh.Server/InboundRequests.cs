using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Inbound.Http;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Mesh.Server;

/// <summary>Counts what is being served, and, once the workload drains, asks every connection to end after the response that it is carrying.</summary>
internal sealed class InboundRequests(TimeProvider time)
{
    private int _active;
    private long _lastArrival;
    private volatile bool _draining;

    /// <summary>Requests whose response has not ended.</summary>
    public int Active => Volatile.Read(ref _active);

    /// <summary>How long ago the last request arrived.</summary>
    public TimeSpan SinceLastArrival => time.GetElapsedTime(Volatile.Read(ref _lastArrival));

    /// <summary>From now on HTTP/1.1 responses say <c>Connection: close</c> and HTTP/2 connections are sent GOAWAY.</summary>
    public void Drain()
    {
        Volatile.Write(ref _lastArrival, time.GetTimestamp());
        _draining = true;
    }

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        Interlocked.Increment(ref _active);
        var connection = context.Features.Get<IInboundConnection>() as InboundConnection;
        connection?.BeginRequest();
        Task serving;
        try
        {
            var isHttp1 = HttpProtocol.IsHttp11(context.Request.Protocol) || HttpProtocol.IsHttp10(context.Request.Protocol);
            if (_draining)
            {
                Volatile.Write(ref _lastArrival, time.GetTimestamp());
                AskToClose(context, isHttp1);
            }
            else if (connection is { IsDraining: true })
            {
                AskToClose(context, isHttp1);
            }

            if (!isHttp1)
            {
                SetScheme(context);
            }

            serving = next(context);
        }
        catch
        {
            End(connection);
            throw;
        }

        if (serving.IsCompletedSuccessfully)
        {
            End(connection);
            return Task.CompletedTask;
        }

        return Await(serving, connection);
    }

    private void End(InboundConnection? connection)
    {
        connection?.EndRequest();
        Interlocked.Decrement(ref _active);
    }

    // With the scheme left to the client, as proxies need it, it is the connection that says what it is: only the application's own TLS makes https.
    private static void SetScheme(HttpContext context)
    {
        var scheme = context.Features.Get<ITlsHandshakeFeature>() is null ? Uri.UriSchemeHttp : Uri.UriSchemeHttps;
        if (!scheme.Equals(context.Request.Scheme, StringComparison.OrdinalIgnoreCase))
        {
            context.Request.Scheme = scheme;
        }
    }

    private static void AskToClose(HttpContext context, bool isHttp1)
    {
        if (isHttp1)
        {
            context.Response.Headers.Connection = "close";
        }
        else
        {
            context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        }
    }

    private async Task Await(Task serving, InboundConnection? connection)
    {
        try
        {
            await serving.ConfigureAwait(false);
        }
        finally
        {
            End(connection);
        }
    }
}
