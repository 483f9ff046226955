namespace Mesh.Xds.Serving;

/// <summary>Up to which push the client of one stream has answered everything.</summary>
internal sealed class Settlement
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _moved = New();
    private bool _isOpen;
    private bool _hasEnded;

    /// <summary>The last push that is settled; grows only.</summary>
    public long Epoch { get; private set; }

    /// <summary>The stream has asked for something: from now on pushes wait for it.</summary>
    public void Open()
    {
        lock (_gate)
        {
            _isOpen = true;
        }
    }

    public void Advance(long epoch)
    {
        lock (_gate)
        {
            if (epoch > Epoch)
            {
                Epoch = epoch;
                Signal();
            }
        }
    }

    public void End()
    {
        lock (_gate)
        {
            _hasEnded = true;
            Signal();
        }
    }

    public async Task WaitAsync(long epoch, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task moved;
            lock (_gate)
            {
                if (!_isOpen || _hasEnded || Epoch >= epoch)
                {
                    return;
                }

                moved = _moved.Task;
            }

            await moved.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Signal()
    {
        var moved = _moved;
        _moved = New();
        moved.SetResult();
    }
}
