namespace Mesh.ControlPlane.Config.Sources;

internal sealed record FolderConfigOptions
{
    public static FolderConfigOptions Default { get; } = new();

    /// <summary>How long a file's content must not change before it is applied: editors and copies write in steps.</summary>
    /// <value>The default value is 200 ms.</value>
    public TimeSpan SettleTime { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How long events of the file system are gathered before the folder is read.</summary>
    /// <value>The default value is 20 ms.</value>
    public TimeSpan GatherTime { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>How often the folder is read although nothing was heard of it: mounts and containers lose events.</summary>
    /// <value>The default value is 30 seconds.</value>
    public TimeSpan SafetyPollInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often the folder is read while it cannot be watched, because inotify's limits are exhausted or it is not there.</summary>
    /// <value>The default value is 2 seconds.</value>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How many files are read.</summary>
    /// <value>The default value is 10,000.</value>
    public int MaxFiles { get; init; } = 10_000;

    public ConfigReaderOptions Reader { get; init; } = ConfigReaderOptions.Default;
}
