namespace Mesh.EndToEnd.Tests.Lab;

internal static class Guard
{
    /// <summary>Only a test that hangs ever sees this.</summary>
    public static readonly TimeSpan Hang = TimeSpan.FromSeconds(30);

    public static Task OrHang(this Task task, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(task))] string? what = null)
        => Awaited(task.WaitAsync(Hang), what);

    public static async Task<T> OrHang<T>(this Task<T> task, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(task))] string? what = null)
    {
        await ((Task)task).OrHang(what);
        return await task;
    }

    private static async Task Awaited(Task task, string? what)
    {
        try
        {
            await task;
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{what} has not ended within {Hang}.");
        }
    }
}
