using System.Net;

namespace Mesh.Client;

/// <summary>Redirects as <see cref="SocketsHttpHandler"/> follows them: same methods, same statuses, never from https to http, credentials dropped.</summary>
internal static class Redirection
{
    private static readonly HttpRequestOptionsKey<int> Hops = new("mesh.redirects");

    public static bool IsRedirect(HttpStatusCode status)
        => status is HttpStatusCode.MultipleChoices or HttpStatusCode.Moved or HttpStatusCode.Found or HttpStatusCode.SeeOther
            or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;

    public static int HopsOf(HttpRequestMessage request) => request.Options.TryGetValue(Hops, out var hops) ? hops : 0;

    /// <summary>The request that follows the redirect; <see langword="null"/> when the response is to be handed out as it is.</summary>
    public static HttpRequestMessage? Next(HttpRequestMessage request, HttpResponseMessage response, int left)
    {
        if (left <= 0 || response.Headers.Location is not { } location)
        {
            return null;
        }

        var from = request.RequestUri!;
        var to = location.IsAbsoluteUri ? location : new Uri(from, location);
        if (to.Scheme is not ("http" or "https") || (from.Scheme == Uri.UriSchemeHttps && to.Scheme == Uri.UriSchemeHttp))
        {
            return null;
        }

        if (from.Fragment.Length > 0 && to.Fragment.Length == 0)
        {
            to = new UriBuilder(to) { Fragment = from.Fragment }.Uri;
        }

        var toElsewhere = !to.Host.Equals(from.Host, StringComparison.OrdinalIgnoreCase) || to.Port != from.Port;
        var toGet = response.StatusCode switch
        {
            HttpStatusCode.MultipleChoices or HttpStatusCode.Moved or HttpStatusCode.Found => request.Method == HttpMethod.Post,
            HttpStatusCode.SeeOther => request.Method != HttpMethod.Get && request.Method != HttpMethod.Head,
            _ => false,
        };
        var next = new HttpRequestMessage(toGet ? HttpMethod.Get : request.Method, to)
        {
            Version = request.Version,
            VersionPolicy = request.VersionPolicy,
            Content = toGet ? null : request.Content,
        };
        foreach (var (name, values) in request.Headers.NonValidated)
        {
            if (!name.Equals("Authorization", StringComparison.OrdinalIgnoreCase)
                && !(toElsewhere && name.Equals("Host", StringComparison.OrdinalIgnoreCase))
                && !(toGet && name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase)))
            {
                next.Headers.TryAddWithoutValidation(name, values);
            }
        }

        foreach (var option in request.Options)
        {
            next.Options.Set(new HttpRequestOptionsKey<object?>(option.Key), option.Value);
        }

        next.Options.Set(Hops, HopsOf(request) + 1);
        return next;
    }
}
