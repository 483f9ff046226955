using System.Globalization;
using System.Net.Http.Headers;

namespace LoadGenerator.Connections;

/// <summary>
/// Asks through an <see cref="HttpClient"/>, that of an application of the mesh: who makes connections is below it. Sizes are what the answer would
/// have had as HTTP/1.1.
/// </summary>
public sealed class HttpClientConnection(LoadOptions options, HttpClient client) : ILoadConnection
{
    public LoadHistogram ConnectTimes { get; } = new(options.Resolution);

    public async Task<LoadAnswer> CallAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, options.Url);
        request.Headers.ConnectionClose = options.KeepAlive ? null : true;
        foreach (var (name, value) in options.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        try
        {
            using var response = await client.SendAsync(request, cancellationToken);
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            var statusLine = string.Create(CultureInfo.InvariantCulture, $"HTTP/{response.Version} {(int)response.StatusCode}");
            var header = $"{statusLine} {response.ReasonPhrase}\r\n\r\n".Length + Size(response.Headers) + Size(response.Content.Headers);
            return new LoadAnswer((int)response.StatusCode, statusLine, header, header + body.Length);
        }
        catch (HttpRequestException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    // The client is its owner's.
    public void Dispose()
    {
    }

    private static int Size(HttpHeaders headers)
    {
        var size = 0;
        foreach (var (name, values) in headers.NonValidated)
        {
            foreach (var value in values)
            {
                size += name.Length + value.Length + 4;
            }
        }

        return size;
    }
}
