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
        Task serving;
        try
        {
            if (_draining)
            {
                Volatile.Write(ref _lastArrival, time.GetTimestamp());
                AskToClose(context);
            }

            serving = next(context);
        }
        catch
        {
            Interlocked.Decrement(ref _active);
            throw;
        }

        if (serving.IsCompletedSuccessfully)
        {
            Interlocked.Decrement(ref _active);
            return Task.CompletedTask;
        }

        return Await(serving);
    }

    private static void AskToClose(HttpContext context)
    {
        if (HttpProtocol.IsHttp11(context.Request.Protocol) || HttpProtocol.IsHttp10(context.Request.Protocol))
        {
            context.Response.Headers.Connection = "close";
        }
        else
        {
            context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        }
    }

    private async Task Await(Task serving)
    {
        try
        {
            await serving.ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _active);
        }
    }
}
