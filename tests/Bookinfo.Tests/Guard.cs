namespace Bookinfo.Tests;

internal static class Guard
{
    /// <summary>Only a test that hangs ever sees this.</summary>
    public static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);
}
