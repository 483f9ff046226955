using Mesh.DataPlane.Filters.LocalRateLimit;
using Mesh.Server.Admin.Html;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mesh.Server.Admin;

/// <summary>Lets an endpoint answer whoever may ask, and tells everybody else why not.</summary>
internal sealed partial class AdminDoor(AdminEndpoints endpoints, IServiceProvider services, TimeProvider time, ILogger<AdminDoor> logger)
{
    private const int MaxForm = 64 * 1024;

    // Whoever is refused may come again and again.
    private readonly TokenBucket _told = new(10, 1, TimeSpan.FromSeconds(1));

    /// <param name="context">The request.</param>
    /// <param name="root">Where the admin is.</param>
    /// <param name="path">Which of its answers is wanted.</param>
    /// <param name="access">Who may ask.</param>
    public async Task AnswerAsync(HttpContext context, string root, string path, AdminAccess access)
    {
        var headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.ContentSecurityPolicy = AdminPage.ContentSecurityPolicy;
        var isChange = HttpMethods.IsPost(context.Request.Method);
        if (access.Refuse(context, isChange) is { } refusal)
        {
            if (_told.TryTake(time))
            {
                Log.Refused(logger, context.Connection.RemoteIpAddress?.ToString() ?? "an unknown address", refusal.Reason);
            }

            await EndAsync(context, refusal.Status, refusal.IsTold ? refusal.Reason : "").ConfigureAwait(false);
            return;
        }

        if (endpoints.Find(path) is not { } endpoint)
        {
            await EndAsync(context, StatusCodes.Status404NotFound, "There is nothing here; the list of what there is is at /.").ConfigureAwait(false);
            return;
        }

        if (!(HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method) || (isChange && endpoint.Changes)))
        {
            headers.Allow = endpoint.Changes ? "GET, HEAD, POST" : "GET, HEAD";
            await EndAsync(context, StatusCodes.Status405MethodNotAllowed, isChange ? "This changes nothing: ask with GET." : "Ask with GET.").ConfigureAwait(false);
            return;
        }

        try
        {
            var request = new AdminRequest(context, root, services);
            if (!isChange)
            {
                await endpoint.GetAsync(request).ConfigureAwait(false);
                return;
            }

            if (context.Request.HasFormContentType)
            {
                if (context.Request.ContentLength is null or > MaxForm)
                {
                    await EndAsync(context, StatusCodes.Status413PayloadTooLarge, $"A form has at most {MaxForm} bytes, and says how many.").ConfigureAwait(false);
                    return;
                }

                request.Form = await context.Request.ReadFormAsync(context.RequestAborted).ConfigureAwait(false);
            }

            await endpoint.PostAsync(request).ConfigureAwait(false);
        }
        catch (Exception e) when (!context.RequestAborted.IsCancellationRequested && !context.Response.HasStarted)
        {
            Log.Failed(logger, path, e);
            await EndAsync(context, StatusCodes.Status500InternalServerError, "This could not be answered; the log of the process says why.").ConfigureAwait(false);
        }
    }

    private static Task EndAsync(HttpContext context, int status, string reason)
    {
        context.Response.StatusCode = status;
        if (reason.Length == 0 || HttpMethods.IsHead(context.Request.Method))
        {
            return Task.CompletedTask;
        }

        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(reason + "\n", context.RequestAborted);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "The admin did not answer {Remote}: {Reason}")]
        public static partial void Refused(ILogger logger, string remote, string reason);

        [LoggerMessage(2, LogLevel.Error, "The admin failed on {Path}.")]
        public static partial void Failed(ILogger logger, string path, Exception exception);
    }
}
