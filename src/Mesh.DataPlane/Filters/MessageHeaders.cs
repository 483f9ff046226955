using System.Net.Http.Headers;
using Mesh.DataPlane.Matching;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters;

/// <summary>Finds the collection in which System.Net.Http keeps a header: that of the message, or that of its content.</summary>
internal static class MessageHeaders
{
    /// <param name="side">Which message.</param>
    /// <param name="request">The request.</param>
    /// <param name="response">The response, once there is one.</param>
    /// <param name="name">The header.</param>
    /// <param name="create">Give a request without content an empty one, when the header belongs to it.</param>
    public static HttpHeaders? Of(HeaderSide side, HttpRequestMessage request, HttpResponseMessage? response, string name, bool create)
    {
        if (!HeaderName.IsContent(name))
        {
            return side == HeaderSide.Request ? request.Headers : response?.Headers;
        }

        if (side == HeaderSide.Response)
        {
            return response?.Content.Headers;
        }

        if (request.Content is null && create)
        {
            request.Content = new ByteArrayContent([]);
        }

        return request.Content?.Headers;
    }
}
