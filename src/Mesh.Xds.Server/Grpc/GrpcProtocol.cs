using Mesh.Xds.Grpc;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Xds.Server.Grpc;

/// <summary>What every gRPC call over HTTP/2 has around its messages: checks, deadline, status (gRPC over HTTP/2, "Requests" and "Responses").</summary>
internal static partial class GrpcProtocol
{
    private static readonly TimeSpan LongestTimer = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    /// <summary>Runs one call and ends it with a status.</summary>
    public static async Task RunAsync(HttpContext context, Func<GrpcEncoding, CancellationToken, Task> serve)
    {
        // 1. What is not gRPC gets an answer of HTTP.
        if (!GrpcHeaderNames.IsGrpcContentType(context.Request.ContentType))
        {
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return;
        }

        if (!HttpProtocol.IsHttp2(context.Request.Protocol) && !HttpProtocol.IsHttp3(context.Request.Protocol))
        {
            context.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            context.Response.Headers.Upgrade = "h2c";
            return;
        }

        // 2. A stream may be silent for days and grow without end: Kestrel's limits are for uploads.
        LiftLimits(context);
        context.Response.ContentType = GrpcHeaderNames.ContentType;
        context.Response.Headers[GrpcHeaderNames.AcceptEncoding] = GrpcHeaderNames.SupportedEncodings;

        var services = context.RequestServices;
        var stopping = services.GetService<IHostApplicationLifetime>()?.ApplicationStopping ?? CancellationToken.None;
        CancellationTokenSource? deadline = null;
        try
        {
            var encoding = GrpcEncodings.Parse(context.Request.Headers[GrpcHeaderNames.Encoding]);
            deadline = StartDeadline(context, services.GetService<TimeProvider>() ?? TimeProvider.System);
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping, deadline?.Token ?? CancellationToken.None);
            await serve(encoding, ending.Token);
            Finish(context, StatusCode.Ok, "");
        }
        catch (RpcException exception)
        {
            Finish(context, exception.StatusCode, exception.Detail);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is left to be told.
        }
        catch (OperationCanceledException) when (deadline is { IsCancellationRequested: true })
        {
            Finish(context, StatusCode.DeadlineExceeded, "the deadline of the call has passed");
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            Finish(context, StatusCode.Unavailable, "the server is stopping");
        }
        catch (Exception exception)
        {
            Log.CallFailed(services.GetRequiredService<ILoggerFactory>().CreateLogger("Mesh.Xds.Server.Grpc"), context.Request.Path, exception);
            Finish(context, StatusCode.Unknown, "the call failed; see the server's log");
        }
        finally
        {
            deadline?.Dispose();
        }
    }

    private static void LiftLimits(HttpContext context)
    {
        if (context.Features.Get<Microsoft.AspNetCore.Server.Kestrel.Core.Features.IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }
    }

    private static CancellationTokenSource? StartDeadline(HttpContext context, TimeProvider time)
    {
        if (context.Request.Headers[GrpcHeaderNames.Timeout] is not [{ } text, ..])
        {
            return null;
        }

        if (!GrpcTimeout.TryParse(text, out var timeout))
        {
            throw new RpcException(StatusCode.InvalidArgument, $"grpc-timeout '{text}' is not at most eight digits and a unit");
        }

        return timeout > LongestTimer ? null : new CancellationTokenSource(timeout, time);
    }

    private static void Finish(HttpContext context, StatusCode status, string message)
    {
        // A call that fails before its first message ends with one HEADERS frame ("Trailers-Only").
        var response = context.Response;
        var target = response.HasStarted ? null : response.Headers;
        Put(GrpcHeaderNames.Status, ((int)status).ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (message.Length > 0)
        {
            Put(GrpcHeaderNames.Message, GrpcStatusMessage.Encode(message));
        }

        void Put(string name, string value)
        {
            if (target is not null)
            {
                target[name] = value;
            }
            else
            {
                response.AppendTrailer(name, value);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The gRPC call {Path} failed")]
        public static partial void CallFailed(ILogger logger, string path, Exception exception);
    }
}
