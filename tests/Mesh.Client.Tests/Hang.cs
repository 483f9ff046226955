namespace Mesh.Client.Tests;

/// <summary>What would hang for ever fails after half a minute instead.</summary>
internal static class Hang
{
    public static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);

    public static Task Within(this Task task) => task.WaitAsync(Guard);

    public static Task<T> Within<T>(this Task<T> task) => task.WaitAsync(Guard);

    public static Task<T> Within<T>(this ValueTask<T> task) => task.AsTask().WaitAsync(Guard);

    /// <summary>Whether the condition comes to hold: for what has no event of its own.</summary>
    public static async Task<bool> Until(Func<bool> condition)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(began) > Guard)
            {
                return false;
            }

            await Task.Delay(1);
        }

        return true;
    }

    /// <summary>Completes when the token is cancelled.</summary>
    public static async Task Until(this CancellationToken token)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (token.Register(cancelled.SetResult))
        {
            await cancelled.Task;
        }
    }
}
