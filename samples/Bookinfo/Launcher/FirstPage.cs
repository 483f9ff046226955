namespace Bookinfo.Launcher;

/// <summary>Waits until the page is whole: every service has registered and productpage has heard of it.</summary>
internal static class FirstPage
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    public static async Task<bool> WaitAsync(Uri productPage, TimeProvider time, CancellationToken stop)
    {
        using var client = new HttpClient { BaseAddress = productPage, Timeout = Timeout.InfiniteTimeSpan };
        using var deadline = new CancellationTokenSource(Deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
        try
        {
            while (!await IsOkAsync(client, "/api/v1/products/0", either.Token) || !await IsOkAsync(client, "/api/v1/products/0/reviews", either.Token)
                || !await IsOkAsync(client, "/api/v1/products/0/ratings", either.Token))
            {
                await Task.Delay(Pause, time, either.Token);
            }

            return true;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }
    }

    private static async Task<bool> IsOkAsync(HttpClient client, string path, CancellationToken cancellation)
    {
        try
        {
            using var response = await client.GetAsync(path, cancellation);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
