using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Envoy.Service.Auth.V3;
using Mesh.DataPlane.Calls;
using Mesh.DataPlane.Filters.HeaderMutation;
using Mesh.DataPlane.Matching;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters.ExtAuthz;

/// <summary>An authorizer that gets the request's own line and headers over HTTP: 200 lets it pass, 5xx is a failure, whatever else is the refusal.</summary>
internal sealed class HttpAuthorizer(ClusterTarget target) : IAuthorizer
{
    private const string HeadersToRemove = "x-envoy-auth-headers-to-remove";
    private const int MaxResponseBytes = 1024 * 1024;

    private static readonly UriCreationOptions Verbatim = new() { DangerousDisablePathAndQueryCanonicalization = true };

    public string Cluster => target.Cluster;

    /// <summary>Put before the path of each request.</summary>
    public string PathPrefix { get; init; } = "";

    /// <summary>Takes the place of the path of each request; empty for none.</summary>
    public string PathOverride { get; init; } = "";

    /// <summary>Headers that are sent along, in place of the request's own.</summary>
    public IReadOnlyList<(string Name, HeaderFormat Value)> HeadersToAdd { get; init; } = [];

    /// <summary>Of an allowed request, what goes on to the application.</summary>
    public HeaderKeys Upstream { get; init; } = HeaderKeys.None;

    /// <summary>The same, added to what the request has of them.</summary>
    public HeaderKeys UpstreamToAppend { get; init; } = HeaderKeys.None;

    /// <summary>Of a refusal, what goes to the caller; <see langword="null"/> for all.</summary>
    public HeaderKeys? Client { get; init; }

    /// <summary>Of an allowed request, what goes to the caller with the response.</summary>
    public HeaderKeys ClientOnSuccess { get; init; } = HeaderKeys.None;

    /// <summary>What is left as dynamic metadata.</summary>
    public HeaderKeys MetadataHeaders { get; init; } = HeaderKeys.None;

    public async Task<CheckResult> CheckAsync(CheckRequest request, HttpExchange exchange, FilterServices services, CancellationToken cancellationToken)
    {
        using var message = CreateRequest(request.Attributes.Request.Http, exchange);
        using var response = await services.Calls.SendAsync(target, message, MaxResponseBytes, cancellationToken).ConfigureAwait(false);
        var status = (int)response.StatusCode;
        if (status >= 500)
        {
            return new CheckResult(CheckStatus.Error);
        }

        var headers = HeadersOf(response);
        var metadata = new JsonObject();
        foreach (var (name, value) in headers)
        {
            if (MetadataHeaders.Contain(name))
            {
                metadata[name] = value;
            }
        }

        return status == 200
            ? Allowed(headers) with { Metadata = metadata.Count > 0 ? metadata : null }
            : new CheckResult(CheckStatus.Denied)
            {
                HttpStatus = status,
                Body = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false),
                Headers = [.. headers.Where(h => h.Name != HeadersToRemove && (Client?.Contain(h.Name) ?? true)).Select(h => new HeaderChange(h.Name, h.Value, HeaderWrite.Overwrite))],
                Metadata = metadata.Count > 0 ? metadata : null,
            };
    }

    private CheckResult Allowed(List<(string Name, string Value)> headers)
    {
        var request = new List<HeaderChange>();
        var remove = new List<string>();
        var response = new List<HeaderChange>();
        foreach (var (name, value) in headers)
        {
            if (name == HeadersToRemove)
            {
                remove.AddRange(value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(n => n.ToLowerInvariant()));
                continue;
            }

            if (Upstream.Contain(name))
            {
                request.Add(new HeaderChange(name, value, HeaderWrite.Overwrite));
            }

            if (UpstreamToAppend.Contain(name))
            {
                request.Add(new HeaderChange(name, value, HeaderWrite.Append, OnlyIfExists: true));
            }

            if (ClientOnSuccess.Contain(name))
            {
                response.Add(new HeaderChange(name, value, HeaderWrite.Append));
            }
        }

        return new CheckResult(CheckStatus.Ok) { Headers = request, HeadersToRemove = remove, ResponseHeaders = response };
    }

    private HttpRequestMessage CreateRequest(AttributeContext.Types.HttpRequest checkedRequest, HttpExchange exchange)
    {
        var path = PathOverride.Length > 0 ? PathOverride : PathPrefix + checkedRequest.Path;
        var body = checkedRequest.RawBody.IsEmpty ? System.Text.Encoding.UTF8.GetBytes(checkedRequest.Body) : checkedRequest.RawBody.ToByteArray();
        var message = new HttpRequestMessage(HttpMethod.Parse(checkedRequest.Method), new Uri("http://cluster" + path, Verbatim)) { Content = new ByteArrayContent(body) };
        message.Headers.TryAddWithoutValidation("host", checkedRequest.Host);
        var headers = checkedRequest.HeaderMap is { } map
            ? map.Headers.Select(h => (Name: h.Key, Value: h.RawValue.ToStringUtf8()))
            : checkedRequest.Headers.Select(h => (Name: h.Key, h.Value));
        foreach (var (name, value) in headers)
        {
            if (name[0] != ':' && !IsOfTheConnection(name))
            {
                Collection(name).TryAddWithoutValidation(name, value);
            }
        }

        foreach (var (name, value) in HeadersToAdd)
        {
            Collection(name).Remove(name);
            Collection(name).TryAddWithoutValidation(name, value.Render(exchange));
        }

        return message;

        HttpHeaders Collection(string name) => HeaderName.IsContent(name) ? message.Content!.Headers : message.Headers;
    }

    // What the length and the connection are is this message's own.
    private static bool IsOfTheConnection(string name)
        => name is "content-length" or "transfer-encoding" or "connection" or "keep-alive" or "upgrade" or "te" or "trailer" or "proxy-connection" or "host" or "expect";

    private static List<(string Name, string Value)> HeadersOf(HttpResponseMessage response)
    {
        var headers = new List<(string, string)>();
        foreach (var (name, values) in response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated))
        {
            var lower = name.ToLowerInvariant();
            if (!IsOfTheConnection(lower))
            {
                foreach (var value in values)
                {
                    headers.Add((lower, value));
                }
            }
        }

        return headers;
    }
}
