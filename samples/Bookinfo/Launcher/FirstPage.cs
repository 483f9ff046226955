namespace Bookinfo.Launcher;

/// <summary>Waits until the page is whole: every service has registered and productpage has heard of it.</summary>
internal static class FirstPage
{
    private const int Attempts = 60;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);

    public static async Task<bool> WaitAsync(Uri productPage, TimeProvider time, CancellationToken stop)
    {
        using var client = new HttpClient { BaseAddress = productPage, Timeout = CallTimeout };
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (await IsOkAsync(client, "/api/v1/products/0", stop) && await IsOkAsync(client, "/api/v1/products/0/reviews", stop)
                && await IsOkAsync(client, "/api/v1/products/0/ratings", stop))
            {
                return true;
            }

            await Task.Delay(Pause, time, stop);
        }

        return false;
    }

    private static async Task<bool> IsOkAsync(HttpClient client, string path, CancellationToken stop)
    {
        try
        {
            using var response = await client.GetAsync(path, stop);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }
    }
}
