using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Cli.Servers;

/// <summary>Somebody who is asked over HTTP, and who may be down, slow, or not who we think.</summary>
internal sealed class MeshServer : IDisposable
{
    /// <summary>More than any mesh's configuration; a server that sends without end is not read without end.</summary>
    private const int MaxAnswer = 128 << 20;

    private const int MaxReason = 4096;
    private const int MaxDepth = 256;

    private readonly HttpClient _http;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly string _role;
    private Version _version = HttpVersion.Version11;

    /// <param name="role">What it is, for errors.</param>
    /// <param name="address">Where it is.</param>
    /// <param name="access">What it is shown, and whom it is believed by.</param>
    /// <param name="timeout">How long one answer may take.</param>
    /// <param name="time">The clock.</param>
    public MeshServer(string role, Uri address, ServerAccess access, TimeSpan timeout, TimeProvider time)
    {
        Address = address;
        _role = role;
        _timeout = timeout;
        _time = time;
        _http = new HttpClient(access.NewHandler()) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        if (access.Token is { } token)
        {
            // Nobody on the way may read it.
            if (address.Scheme != Uri.UriSchemeHttps && !address.IsLoopback)
            {
                throw new CommandException($"the token is not sent to {address} in clear text; use https:// (the control plane's TLS port, 15012)");
            }

            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
    }

    public Uri Address { get; }

    /// <summary>A JSON answer.</summary>
    /// <exception cref="CommandException">There is none, and why.</exception>
    public async Task<JsonNode> GetJsonAsync(string path, CancellationToken cancellationToken)
        => Parse(path, await SendAsync(HttpMethod.Get, path, "application/json", cancellationToken).ConfigureAwait(false));

    /// <summary>A text.</summary>
    /// <exception cref="CommandException">There is none, and why.</exception>
    public async Task<string> GetTextAsync(string path, CancellationToken cancellationToken)
        => Encoding.UTF8.GetString(await SendAsync(HttpMethod.Get, path, "text/plain", cancellationToken).ConfigureAwait(false));

    /// <summary>Changes something.</summary>
    /// <returns>The answer.</returns>
    /// <exception cref="CommandException">It has not been changed, and why.</exception>
    public async Task<JsonNode> PostJsonAsync(string path, CancellationToken cancellationToken)
        => Parse(path, await SendAsync(HttpMethod.Post, path, "application/json", cancellationToken).ConfigureAwait(false));

    public void Dispose() => _http.Dispose();

    private JsonNode Parse(string path, byte[] text)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { MaxDepth = MaxDepth }) ?? throw new JsonException("null");
        }
        catch (JsonException)
        {
            throw new CommandException($"{Place(path)} answered with something that is no JSON; is {Address} {_role}?");
        }
    }

    private async Task<byte[]> SendAsync(HttpMethod method, string path, string accept, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(_timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            try
            {
                return await SendOnceAsync(method, path, accept, either.Token).ConfigureAwait(false);
            }
            catch (HttpRequestException e) when (_version == HttpVersion.Version11 && Address.Scheme == Uri.UriSchemeHttp && IsOtherProtocol(e))
            {
                // A port for gRPC alone speaks HTTP/2 from the first byte on.
                _version = HttpVersion.Version20;
                return await SendOnceAsync(method, path, accept, either.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new CommandException($"{Place(path)} has not answered within {_timeout.TotalSeconds:0.###} s; try again with a longer --timeout");
        }
        catch (HttpRequestException e)
        {
            throw Unreachable(e);
        }
        catch (IOException e)
        {
            throw new CommandException($"{Place(path)} broke off its answer: {e.Message}");
        }
    }

    private async Task<byte[]> SendOnceAsync(HttpMethod method, string path, string accept, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path.TrimStart('/')) { Version = _version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        if (Address.Scheme == Uri.UriSchemeHttps)
        {
            request.VersionPolicy = HttpVersionPolicy.RequestVersionOrHigher;
        }

        request.Headers.Accept.ParseAdd(accept);
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        var body = await ReadAsync(response, response.IsSuccessStatusCode ? MaxAnswer : MaxReason, path, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.BadRequest && _version == HttpVersion.Version11 && body.AsSpan().IndexOf("HTTP/2 only"u8) >= 0)
        {
            throw new HttpRequestException(HttpRequestError.InvalidResponse);
        }

        return response.IsSuccessStatusCode ? body : throw Refused(response, path, body);
    }

    private async Task<byte[]> ReadAsync(HttpResponseMessage response, int max, string path, CancellationToken cancellationToken)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var buffer = new MemoryStream();
        var chunk = new byte[64 * 1024];
        int read;
        while ((read = await stream.ReadAsync(chunk, cancellationToken).ConfigureAwait(false)) > 0)
        {
            if (buffer.Length + read > max)
            {
                return max == MaxReason ? buffer.ToArray() : throw new CommandException($"{Place(path)} answers with more than {MaxAnswer >> 20} MB; narrow what is asked for");
            }

            buffer.Write(chunk, 0, read);
        }

        return buffer.ToArray();
    }

    private CommandException Refused(HttpResponseMessage response, string path, byte[] body)
    {
        var reason = ReasonIn(Encoding.UTF8.GetString(body));
        return (int)response.StatusCode switch
        {
            401 or 403 => new CommandException(
                $"{Place(path)} refuses to answer{Because(reason)}; show a token of somebody who may (--token-file, MESHCTL_TOKEN_FILE) or a certificate (--cert-file, --key-file)"),
            404 when reason is null => new CommandException($"{Place(path)}: there is nothing; is {Address} {_role}, and does it map that (app.MapMeshMonitoring, Mesh:Admin:Port)?"),
            400 or 404 or 409 when reason is not null => new CommandException(reason),
            var status => new CommandException($"{Place(path)} answered with {status}{Because(reason)}"),
        };

        static string Because(string? reason) => reason is null ? "" : $": {reason}";
    }

    /// <summary>What a server says of its refusal, in the two forms that ours have.</summary>
    private static string? ReasonIn(string body)
    {
        if (body.TrimStart().StartsWith('{'))
        {
            try
            {
                var json = JsonNode.Parse(body);
                return json?["problems"] is JsonArray problems ? string.Join("; ", problems.Select(problem => problem?.ToString())) : json?["error"]?.ToString();
            }
            catch (JsonException)
            {
                return null;
            }
        }

        var text = body.Trim();
        return text.Length is > 0 and < 500 && !text.StartsWith('<') ? text : null;
    }

    private UnreachableServerException Unreachable(HttpRequestException e)
    {
        var why = e.InnerException switch
        {
            SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "nobody listens there",
            SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData } => "the name is not known",
            AuthenticationException tls => $"its certificate is not believed ({tls.InnerException?.Message ?? tls.Message}); name its roots with --ca-file",
            var inner => inner?.Message ?? e.Message,
        };
        return new UnreachableServerException($"{_role} at {Address} cannot be reached: {why}");
    }

    private string Place(string path) => $"{_role} at {Address}{path.TrimStart('/').Split('?')[0]}";

    private static bool IsOtherProtocol(HttpRequestException e)
        => e.HttpRequestError is HttpRequestError.InvalidResponse or HttpRequestError.ResponseEnded or HttpRequestError.HttpProtocolError
            || (e.InnerException is IOException && e.HttpRequestError != HttpRequestError.ConnectionError);
}
