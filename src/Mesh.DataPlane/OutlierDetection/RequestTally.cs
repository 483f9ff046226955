namespace Mesh.DataPlane.OutlierDetection;

/// <summary>Requests and successes of the running interval, in one word: a request costs one interlocked addition.</summary>
internal sealed class RequestTally
{
    private const long OneRequest = 1L << 32;

    private long _running;
    private long _last;

    /// <summary>Requests within the interval that ended last.</summary>
    public uint Requests => (uint)(_last >>> 32);

    /// <summary>The percentage of them that succeeded; without requests there is none.</summary>
    public double? SuccessRate => Requests == 0 ? null : (uint)_last * 100.0 / Requests;

    public void AddSuccess() => Interlocked.Add(ref _running, OneRequest + 1);

    public void AddFailure() => Interlocked.Add(ref _running, OneRequest);

    /// <summary>Ends the interval.</summary>
    public void Roll() => _last = Interlocked.Exchange(ref _running, 0);
}
