namespace Bookinfo.Tests;

/// <summary>One launched sample for all tests that leave it running: eight processes take their time to start.</summary>
public sealed class SharedBookinfo : IAsyncLifetime
{
    private LaunchedBookinfo? _bookinfo;

    /// <summary>The sample with the rules as they are delivered, in force.</summary>
    internal async Task<LaunchedBookinfo> AsDeliveredAsync()
    {
        if (_bookinfo is null)
        {
            return _bookinfo = await LaunchedBookinfo.StartAsync();
        }

        await _bookinfo.DeliverAsync();
        return _bookinfo;
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _bookinfo?.DisposeAsync().AsTask() ?? Task.CompletedTask;
}
