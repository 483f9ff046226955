namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>Reads server-sent events as they come.</summary>
internal sealed class EventReader : IDisposable
{
    private const string Data = "data: ";

    private readonly HttpResponseMessage _response;
    private readonly StreamReader _reader;

    private EventReader(HttpResponseMessage response, Stream stream)
    {
        _response = response;
        _reader = new StreamReader(stream);
    }

    public static async Task<EventReader> OpenAsync(HttpClient client, string uri)
    {
        var response = await client.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead).OrHang();
        response.EnsureSuccessStatusCode();
        return new EventReader(response, await response.Content.ReadAsStreamAsync());
    }

    /// <summary>The next event's data, or <see langword="null"/> at the end.</summary>
    public async Task<string?> NextAsync()
    {
        while (await _reader.ReadLineAsync().OrHang() is { } line)
        {
            if (line.StartsWith(Data, StringComparison.Ordinal))
            {
                return line[Data.Length..];
            }
        }

        return null;
    }

    public void Dispose()
    {
        _reader.Dispose();
        _response.Dispose();
    }
}
