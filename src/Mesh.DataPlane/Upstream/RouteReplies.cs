using Mesh.DataPlane.Explaining;
using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Upstream;

/// <summary>Makes the responses of routes that answer themselves, and gives every local reply the headers that its route adds.</summary>
internal static class RouteReplies
{
    public static HttpResponseMessage Create(LocalReply reply, in Decision decision, HttpRequestMessage request, TimeProvider time, IDecisionObserver? observer)
    {
        byte[]? body = null;
        string? location = null;
        if (reply.Details == LocalReply.DirectResponseDetails)
        {
            switch (decision.Route?.Action)
            {
                case RouteAction.Respond respond:
                    body = respond.Body;
                    break;
                case RouteAction.RedirectTo { Redirect: var redirect }:
                    var context = FormatContexts.Of(decision, request, RequestTarget.AuthorityOf(request), time);
                    location = redirect.Location(context.Authority!, context.Scheme!, context.PathAndQuery!, decision.Route.Match.Path, context);
                    if (location is null)
                    {
                        reply = LocalReply.InvalidRequest("the address to redirect to");
                    }

                    break;
            }
        }

        observer?.OnReplied(request, reply);
        var response = LocalReplies.Create(reply, request, body);
        if (location is not null)
        {
            response.Headers.TryAddWithoutValidation("Location", location);
        }

        ResponseFinalizer.ApplyToReply(decision, request, response, time, reply);
        return response;
    }
}
