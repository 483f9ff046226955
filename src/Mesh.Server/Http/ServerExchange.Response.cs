using System.Globalization;
using System.Text;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Inbound.Http;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Upstream;
using Mesh.Filters;
using Mesh.Xds.Grpc;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.Server.Http;

/// <content>The response: the application's, or one that the mesh gives in its place.</content>
internal sealed partial class ServerExchange
{
    private InterceptedBody? _body;
    private FilterChain? _chain;
    private ReadOnlyMemory<byte> _replyBody;

    /// <summary>Stands where the application begins its response, and lets filters and routes change it.</summary>
    /// <param name="chain">The filters that see it.</param>
    public void Intercept(FilterChain? chain)
    {
        _chain = chain;
        Context.Response.OnStarting(static exchange => ((ServerExchange)exchange).OnStartingAsync(), this);
        if (chain is { MayReplaceResponses: true })
        {
            _body = new InterceptedBody(Context, () => (Reply is not null, _replyBody));
            Context.Features.Set<IHttpResponseBodyFeature>(_body);
        }
    }

    /// <summary>The application is done: what it has not sent yet is sent.</summary>
    public ValueTask EndBodyAsync(Exception? failure) => _body?.EndAsync(failure) ?? ValueTask.CompletedTask;

    /// <summary>Answers in place of the application.</summary>
    public async Task ReplyAsync(FilterChain? chain, CancellationToken cancellationToken)
    {
        _hasResponse = true;
        _chain = chain;
        WriteReply(fromRoute: true);
        await PassAsync(cancellationToken).ConfigureAwait(false);
        if (_replyBody.Length > 0 && !HttpMethods.IsHead(Context.Request.Method))
        {
            await Context.Response.BodyWriter.WriteAsync(_replyBody, cancellationToken).ConfigureAwait(false);
        }
    }

    public override void ReplaceResponse() => WriteReply(fromRoute: false);

    private static bool IsGrpc(HttpRequest request)
        => request.ContentType is { } type
            && type.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
            && (type.Length == 16 || type[16] is '+' or ';');

    private void ResetResponse() => (_body, _chain, _replyBody) = (null, null, default);

    private async Task OnStartingAsync()
    {
        if (_hasResponse)
        {
            return;
        }

        _hasResponse = true;
        MutateByRoute();
        await PassAsync(Context.RequestAborted).ConfigureAwait(false);
    }

    // Filters in reverse, then what the connection manager says of every response.
    private async ValueTask PassAsync(CancellationToken cancellationToken)
    {
        if (_chain is { ObservesResponses: true } chain)
        {
            await InboundFilters.ResponseAsync(this, chain, cancellationToken).ConfigureAwait(false);
        }

        var settings = Table.Settings;
        if (!settings.ChangesResponses)
        {
            return;
        }

        var headers = Context.Response.Headers;
        if (settings.ServerName is { } server && (!settings.KeepsServerHeader || headers.Server.Count == 0))
        {
            headers.Server = server;
        }

        if (settings.ReturnsRequestId && TryGetHeader(HeaderSide.Request, "x-request-id", out var id) && MessageHeaderMap.Sendable(id))
        {
            headers["x-request-id"] = id;
        }

        if (settings.Via.Length > 0)
        {
            headers.Via = headers.Via.Count > 0 ? $"{HeaderText.Join(headers.Via)}, {settings.Via}" : settings.Via;
        }
    }

    // gRPC has its status in the headers of a response that has nothing else.
    private void WriteReply(bool fromRoute)
    {
        var reply = Reply!;
        var response = Context.Response;
        response.Headers.Clear();
        var body = fromRoute && Route.Route?.Action is RouteAction.Respond respond && reply.Details == LocalReply.DirectResponseDetails
            ? respond.Body
            : Encoding.UTF8.GetBytes(reply.Body);
        if (IsGrpc(Context.Request))
        {
            response.StatusCode = StatusCodes.Status200OK;
            response.ContentType = "application/grpc";
            response.Headers["grpc-status"] = LocalReplies.GrpcStatus(reply).ToString(CultureInfo.InvariantCulture);
            if (body.Length > 0)
            {
                response.Headers["grpc-message"] = GrpcStatusMessage.Encode(Encoding.UTF8.GetString(body));
            }

            body = [];
        }
        else
        {
            response.StatusCode = (int)reply.Status;
        }

        foreach (var (name, value) in reply.Headers)
        {
            AddHeader(HeaderSide.Response, name, value);
        }

        if (fromRoute)
        {
            MutateByRoute();
        }

        // Neither has a body, and saying how long it is not is an error.
        if (response.StatusCode is StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent or StatusCodes.Status304NotModified)
        {
            _replyBody = default;
            return;
        }

        _replyBody = body;
        response.ContentLength = body.Length;
        if (body.Length > 0 && response.ContentType is null)
        {
            response.ContentType = "text/plain";
        }
    }

    private void MutateByRoute()
    {
        if (Route.Route?.Policy.ResponseHeaders is { } levels)
        {
            var headers = new MessageHeaderMap(Context.Response.Headers, isResponse: true);
            foreach (var level in levels)
            {
                level.Apply(headers, Format);
            }
        }
    }
}
